import { machineLimits } from "./limits.js";

/** What ends at a time. The queue reads and writes these fields; times change only through {@link ExpiryQueue.put}. */
export interface Expiring {
  /** Logical time, in milliseconds. */
  expiresAtMs: number;
  /** Position of the log; no two entries of a queue have the same. It decides between those that end together. */
  readonly version: number;
  /** Where it stands in the queue; -1 when it is in none. */
  queueIndex: number;
}

/**
 * What expires, the next one first: a binary heap whose entries know their place, so that moving and removing one
 * takes log n steps and nothing stale is left behind. The order is total, so which entries are removed is the same
 * in a machine that was restored from a snapshot, whatever way they got in.
 */
export class ExpiryQueue<Entry extends Expiring> {
  readonly #heap: Entry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Adds an entry, or moves one whose time changes. */
  put(entry: Entry, expiresAtMs: number): void {
    entry.expiresAtMs = expiresAtMs;
    if (entry.queueIndex < 0) entry.queueIndex = this.#heap.push(entry) - 1;
    this.#settle(entry);
  }

  /** Does nothing for an entry that is not in the queue. */
  remove(entry: Entry): void {
    const index = entry.queueIndex;
    if (index < 0) return;
    entry.queueIndex = -1;
    const last = this.#heap.pop() as Entry;
    if (last === entry) return;
    this.#place(last, index);
    this.#settle(last);
  }

  /** The entry that ends first, if it has by then. It stays in the queue. */
  due(timeMs: number): Entry | undefined {
    const first = this.#heap[0];
    return first !== undefined && first.expiresAtMs <= timeMs ? first : undefined;
  }

  /** Removes what has ended by then, the first ones, as many as one command may, and tells of each. */
  removeDue(timeMs: number, onRemoved: (entry: Entry) => void): void {
    for (let count = 0; count < machineLimits.removalsPerCommandMax; count++) {
      const entry = this.due(timeMs);
      if (entry === undefined) return;
      this.remove(entry);
      onRemoved(entry);
    }
  }

  /** How many have ended by then. Looks at those and their neighbours only. */
  countDue(timeMs: number, index = 0): number {
    const entry = this.#heap[index];
    if (entry === undefined || entry.expiresAtMs > timeMs) return 0;
    return 1 + this.countDue(timeMs, 2 * index + 1) + this.countDue(timeMs, 2 * index + 2);
  }

  clear(): void {
    for (const entry of this.#heap) entry.queueIndex = -1;
    this.#heap.length = 0;
  }

  /** Moves an entry up or down to where it belongs. */
  #settle(entry: Entry): void {
    const heap = this.#heap;
    let index = entry.queueIndex;
    while (index > 0) {
      const above = heap[(index - 1) >> 1] as Entry;
      if (!isBefore(entry, above)) break;
      const up = above.queueIndex;
      this.#place(above, index);
      index = up;
    }
    for (;;) {
      const left = heap[2 * index + 1];
      if (left === undefined) break;
      const right = heap[2 * index + 2];
      const below = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(below, entry)) break;
      const down = below.queueIndex;
      this.#place(below, index);
      index = down;
    }
    this.#place(entry, index);
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.queueIndex = index;
  }
}

function isBefore(left: Expiring, right: Expiring): boolean {
  if (left.expiresAtMs !== right.expiresAtMs) return left.expiresAtMs < right.expiresAtMs;
  return left.version < right.version;
}
