/**
 * A broken invariant of the protocol: a bug of Synod, never a condition of operation.
 * The actor that meets one must stop, because its state can no longer be trusted.
 */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** Throws {@link InvariantViolation} unless `condition` holds. `invariant` says what must be true. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantViolation(invariant);
}

/** The end of an exhaustive `switch`: reaching it means that a union grew and a dispatcher did not. */
export function assertNever(value: never): never {
  throw new InvariantViolation(`unexpected member of a union: ${JSON.stringify(value)}`);
}
