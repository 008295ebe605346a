/*
 * Sums of commands' identities, modulo 2^32: the sum itself is no exact number any more after 134 million commands,
 * which a long run has.
 */

/** The sum with one more identity. */
export function addIdentity(sum: number, identity: number): number {
  return (sum + identity) | 0;
}

/** The sum of 1, 2, 3 and so on. */
export function sumUpTo(last: number): number {
  return Number(BigInt.asIntN(32, (BigInt(last) * BigInt(last + 1)) / 2n));
}
