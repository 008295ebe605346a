/**
 * Freezes a message with all that it holds, so that a role that changes what it has sent, or was sent, throws.
 * Bytes cannot be frozen and are left alone.
 */
export function freezeDeep(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value))
    return;
  Object.freeze(value);
  for (const part of Object.values(value)) freezeDeep(part);
}
