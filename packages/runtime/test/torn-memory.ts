import type { Random } from "@synod/core/testing";

/*
 * What is left in shared memory when a thread dies between two stores: for writers that change only what nobody reads
 * yet, and publish it by one atomic store.
 */

/** What a check found out, as opposed to a crash, which proves nothing. */
export class CheckFailure extends Error {}

/** A check has found something out, or the memory's own checks have. */
export function isNoticed(error: unknown): boolean {
  return error instanceof CheckFailure || (error as { code?: string } | undefined)?.code === "STORAGE_FAILED";
}

/** Fails unless a check notices, or the memory's own checks do when nothing was damaged. */
export function expectCaught(check: () => void): void {
  let caught: unknown;
  try {
    check();
  } catch (error) {
    caught = error;
  }
  if (!isNoticed(caught))
    throw new Error(`the bug is not caught; ${caught ?? "nothing was thrown"}`, { cause: caught });
}

export function copyOf(region: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(region.byteLength, { maxByteLength: region.maxByteLength });
  new Uint8Array(copy).set(new Uint8Array(region));
  return copy;
}

/** The memories at each atomic store that `run` does, just before it takes place. */
export function storesOf(memories: readonly SharedArrayBuffer[], run: () => void): SharedArrayBuffer[][] {
  const { store } = Atomics;
  const seen: SharedArrayBuffer[][] = [];
  Atomics.store = ((array: Int32Array, index: number, value: number) => {
    seen.push(memories.map(copyOf));
    return store(array, index, value);
  }) as typeof store;
  try {
    run();
  } finally {
    Atomics.store = store;
  }
  return seen;
}

/** Fails if anything has changed since an atomic store but the word that it stores, at the beginning. */
export function expectNothingWritten(
  atStore: SharedArrayBuffer,
  after: SharedArrayBuffer,
  what: string,
  wordBytes = 0,
): void {
  if (Buffer.compare(new Uint8Array(after, wordBytes), new Uint8Array(atStore, wordBytes)) === 0) return;
  throw new CheckFailure(`${what}: something was written after it was published`);
}

/** Copies of a memory in which some of the bytes that a call changed are changed already. */
export function* tornBetween(before: SharedArrayBuffer, after: SharedArrayBuffer, random: Random) {
  const old = new Uint8Array(after.byteLength);
  old.set(new Uint8Array(before));
  const now = new Uint8Array(after);
  const changed: number[] = [];
  for (let at = 0; at < now.length; at++) if (old[at] !== now[at]) changed.push(at);
  const cuts = Array.from({ length: 4 }, () => random.below(changed.length + 1));
  const parts = [
    changed,
    ...cuts.map(cut => changed.slice(0, cut)),
    ...cuts.map(cut => changed.slice(cut)),
    ...cuts.map(() => changed.filter(() => random.chance(0.5))),
  ];
  for (const part of parts) {
    const torn = new SharedArrayBuffer(after.byteLength, { maxByteLength: after.maxByteLength });
    const bytes = new Uint8Array(torn);
    bytes.set(old);
    for (const at of part) bytes[at] = now[at] as number;
    yield torn;
  }
}
