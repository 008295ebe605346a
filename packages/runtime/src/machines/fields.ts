/*
 * Commands come from anywhere, also from callers without types: what cannot be meant is refused before anything
 * changes, and on every replica alike.
 */

/** @throws TypeError */
export function requireText(value: unknown, field: string): asserts value is string {
  if (typeof value !== "string") throw refusal(value, field, "a string");
}

/** A time span. @throws TypeError */
export function requireMilliseconds(value: unknown, field: string): asserts value is number {
  if (typeof value !== "number" || !(value > 0) || value === Number.POSITIVE_INFINITY)
    throw refusal(value, field, "a number of milliseconds above 0");
}

/** A whole number within bounds, both included. @throws TypeError */
export function requireWhole(
  value: unknown,
  field: string,
  least = Number.MIN_SAFE_INTEGER,
  most = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw refusal(value, field, `a whole number from ${least} to ${most}`);
}

/** What a machine throws for an `op` that it does not have. */
export function unknownOperation(kind: "command" | "query", { op }: { readonly op?: unknown }): TypeError {
  return refusal(op, `the ${kind}'s op`, "one that this state machine has");
}

export function refusal(value: unknown, field: string, allowed: string): TypeError {
  const shown =
    typeof value === "string" ? JSON.stringify(value) : typeof value === "number" ? value : typeof value;
  return new TypeError(`${field} is ${shown}, not ${allowed}`);
}
