import { assert } from "./assert.js";

/** Something that holds for `count` consecutive instances from `firstInstance` on. */
export interface InstanceRange {
  readonly firstInstance: number;
  readonly count: number;
}

/** The first instance after a range. */
export function endOf(range: InstanceRange): number {
  return range.firstInstance + range.count;
}

/**
 * An ordered list of ranges that do not overlap, kept as whole batches and divided only where batches of different
 * ballots overlap at different boundaries. Appending, looking at the front and dropping the front take constant
 * time, which is all that happens while one leader lives.
 */
export class InstanceRanges<Range extends InstanceRange> {
  readonly #slice: (range: Range, skip: number, count: number) => Range;
  #ranges: Range[] = [];
  /** Ranges before this position have been dropped; compacted now and then. */
  #head = 0;

  /** `slice` returns the part of a range from position `skip` on, `count` instances long. */
  constructor(slice: (range: Range, skip: number, count: number) => Range) {
    this.#slice = slice;
  }

  get length(): number {
    return this.#ranges.length - this.#head;
  }

  first(): Range | undefined {
    return this.#ranges[this.#head];
  }

  last(): Range | undefined {
    return this.length === 0 ? undefined : this.#ranges[this.#ranges.length - 1];
  }

  /** The ranges that hold an instance at or above `instance`, in order; the first one may begin below it. */
  *from(instance: number): Generator<Range, void, undefined> {
    for (let position = this.#positionOf(instance); position < this.#ranges.length; position++) {
      yield this.#ranges[position] as Range;
    }
  }

  /**
   * Puts `range` in, dividing what overlaps it: `merge` decides for each overlapped part what stands there
   * afterwards; both its arguments cover the same instances. Parts that nothing overlapped are taken from `range`.
   */
  put(range: Range, merge: (existing: Range, incoming: Range) => Range): void {
    assert(range.count > 0, "a range holds at least one instance");
    const last = this.last();
    if (last === undefined || endOf(last) <= range.firstInstance) {
      this.#ranges.push(range);
      return;
    }
    const start = this.#positionOf(range.firstInstance);
    const known = this.#ranges[start];
    // As votes of one ballot come.
    if (known?.firstInstance === range.firstInstance && known.count === range.count) {
      this.#ranges[start] = merge(known, range);
      return;
    }
    const merged: Range[] = [];
    let position = start;
    let at = range.firstInstance;
    const end = endOf(range);
    const incoming = (from: number, to: number) => this.#slice(range, from - range.firstInstance, to - from);
    for (; position < this.#ranges.length; position++) {
      const existing = this.#ranges[position] as Range;
      if (existing.firstInstance >= end) break;
      const existingEnd = endOf(existing);
      if (existing.firstInstance < at) {
        merged.push(this.#slice(existing, 0, at - existing.firstInstance));
      } else if (existing.firstInstance > at) {
        merged.push(incoming(at, existing.firstInstance));
        at = existing.firstInstance;
      }
      const overlapEnd = Math.min(existingEnd, end);
      const overlap = this.#slice(existing, at - existing.firstInstance, overlapEnd - at);
      merged.push(merge(overlap, incoming(at, overlapEnd)));
      if (existingEnd > end) {
        merged.push(this.#slice(existing, end - existing.firstInstance, existingEnd - end));
      }
      at = overlapEnd;
    }
    if (at < end) merged.push(incoming(at, end));
    this.#ranges.splice(start, position - start, ...merged);
  }

  /** Removes and returns the first range. */
  shift(): Range | undefined {
    const range = this.#ranges[this.#head];
    if (range === undefined) return undefined;
    this.#head += 1;
    this.#compact();
    return range;
  }

  /** Forgets every instance below `instance`, dividing a range that straddles it. */
  dropBelow(instance: number): void {
    for (;;) {
      const first = this.first();
      if (first === undefined || first.firstInstance >= instance) return;
      if (endOf(first) > instance) {
        const skip = instance - first.firstInstance;
        this.#ranges[this.#head] = this.#slice(first, skip, first.count - skip);
        return;
      }
      this.shift();
    }
  }

  clear(): void {
    this.#ranges = [];
    this.#head = 0;
  }

  /** Position of the first range that ends above `instance`. */
  #positionOf(instance: number): number {
    let low = this.#head;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endOf(this.#ranges[middle] as Range) > instance) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#ranges.length) return;
    this.#ranges.splice(0, this.#head);
    this.#head = 0;
  }
}
