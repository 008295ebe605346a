import { type Batch, type Segment, segmentBytes, sliceSegment } from "./batch.js";
import { limits } from "./limits.js";

/** What ends a batch; the first segment of a batch is divided only if it alone exceeds `commandsMax`. */
export interface BatchCaps {
  /** No further segment is added that would make it longer than this. */
  readonly commandsWanted: number;
  readonly commandsMax: number;
  readonly bytesMax: number;
}

interface Waiting {
  readonly segment: Segment;
  readonly isForwarded: boolean;
}

/** What waited, in order: `fresh` may be handed on to another proposer, `forwarded` has been already. */
export interface Waited {
  readonly fresh: readonly Segment[];
  readonly forwarded: readonly Segment[];
}

/** Proposals that wait at a proposer, in the order in which they came. */
export class ProposalQueue {
  #waiting: Waiting[] = [];
  #head = 0;
  #commands = 0;
  #bytes = 0;
  #waitsSince = Number.POSITIVE_INFINITY;

  get commands(): number {
    return this.#commands;
  }

  /** Size of what waits, in bytes of payload. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Since when there has been something here all the time; infinite when there is nothing. */
  get waitsSince(): number {
    return this.#waitsSince;
  }

  /** False when there is no room for all of the segments; then none of them was taken. */
  push(segments: readonly Segment[], isForwarded: boolean, now: number): boolean {
    let commands = 0;
    let bytes = 0;
    for (const segment of segments) {
      commands += segment.count;
      bytes += segmentBytes(segment);
    }
    if (this.#commands + commands > limits.proposerQueueCommandsMax) return false;
    // One proposal alone always may wait, however large it is.
    if (this.#commands > 0 && this.#bytes + bytes > limits.proposerQueueBytesMax) return false;
    for (const segment of segments) this.#waiting.push({ segment, isForwarded });
    this.#bytes += bytes;
    if (this.#commands === 0) this.#waitsSince = now;
    this.#commands += commands;
    return true;
  }

  /** The next batch: as many whole segments as the caps allow, or a part of one that is too long for any batch. */
  takeBatch(timeMs: number, { commandsWanted, commandsMax, bytesMax }: BatchCaps): Batch {
    const segments: Segment[] = [];
    let count = 0;
    let bytes = 0;
    for (; this.#head < this.#waiting.length; this.#head++) {
      const { segment, isForwarded } = this.#waiting[this.#head]!;
      if (count > 0 && count + segment.count > commandsWanted) break;
      if (segment.count > commandsMax) {
        segments.push(sliceSegment(segment, 0, commandsMax));
        const rest = sliceSegment(segment, commandsMax, segment.count - commandsMax);
        this.#waiting[this.#head] = { segment: rest, isForwarded };
        count = commandsMax;
        break;
      }
      if (count > 0 && bytes + segmentBytes(segment) > bytesMax) break;
      bytes += segmentBytes(segment);
      segments.push(segment);
      count += segment.count;
    }
    this.#commands -= count;
    this.#bytes -= bytes;
    if (this.#commands === 0) this.#waitsSince = Number.POSITIVE_INFINITY;
    this.#compact();
    return { timeMs, count, segments };
  }

  /** Takes everything. */
  takeAll(): Waited {
    const all = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    this.#commands = 0;
    this.#bytes = 0;
    this.#waitsSince = Number.POSITIVE_INFINITY;
    const fresh = all.filter(({ isForwarded }) => !isForwarded).map(({ segment }) => segment);
    const forwarded = all.filter(({ isForwarded }) => isForwarded).map(({ segment }) => segment);
    return { fresh, forwarded };
  }

  #compact(): void {
    if (this.#head < 256 && this.#head < this.#waiting.length) return;
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return this.#waiting.slice(this.#head);
  }
}
