import type { Outcome } from "@synod/runtime";

/** Commits are counted by time in pieces of this length, in milliseconds. */
export const bucketMs = 100;
const names = ["called", "acknowledged", "notApplied", "unknown", "highest"] as const;
type Name = (typeof names)[number];

/** What one client has counted so far. */
export type Counts = Readonly<Record<Name, number>>;

/** Memory for the counts of one client in a run of so many seconds; what comes later is not counted by time. */
export function createLedger(runSeconds: number): SharedArrayBuffer {
  const buckets = Math.ceil((runSeconds * 1000) / bucketMs);
  return new SharedArrayBuffer(
    names.length * Float64Array.BYTES_PER_ELEMENT + buckets * Int32Array.BYTES_PER_ELEMENT,
  );
}

/**
 * A client's counts of what it only counts, in shared memory, so that they survive its thread: the client writes,
 * the others read. One number is written by one store, so that a reader sees it old or new.
 */
export class Ledger {
  readonly #originMs: number;
  readonly #counts: Float64Array;
  /** Commits in each piece of time since the origin. */
  readonly buckets: Int32Array;

  /** `originMs`: the start of the run, where the first piece of time begins. */
  constructor(memory: SharedArrayBuffer, originMs: number) {
    this.#originMs = originMs;
    this.#counts = new Float64Array(memory, 0, names.length);
    this.buckets = new Int32Array(memory, names.length * Float64Array.BYTES_PER_ELEMENT);
  }

  /** Before the call. */
  called(): void {
    this.#counts[0]!++;
  }

  /** After the return of `value`. */
  acknowledged(value: number, atMs: number): void {
    this.#counts[1]!++;
    this.#counts[4] = Math.max(this.#counts[4]!, value);
    const bucket = Math.floor((atMs - this.#originMs) / bucketMs);
    if (bucket >= 0 && bucket < this.buckets.length) this.buckets[bucket]!++;
  }

  failed(outcome: Outcome): void {
    this.#counts[outcome === "not-applied" ? 2 : 3]!++;
  }

  read(): Counts {
    const [called = 0, acknowledged = 0, notApplied = 0, unknown = 0, highest = 0] = this.#counts;
    return { called, acknowledged, notApplied, unknown, highest };
  }
}
