import { type Batch, type Segment, segmentBytes, sliceSegment } from "./batch.js";
import { limits } from "./limits.js";
import type { Address } from "./messages.js";

/** Proposals that wait at the leader, in the order in which they came. */
export class ProposalQueue {
  readonly #batch: { readonly commandsMax: number; readonly bytesMax: number };
  #waiting: { readonly from: Address; readonly segment: Segment }[] = [];
  #head = 0;
  #commands = 0;

  constructor(batch: { readonly commandsMax: number; readonly bytesMax: number }) {
    this.#batch = batch;
  }

  get commands(): number {
    return this.#commands;
  }

  /** False when there is no room for all of the segments; then none of them was taken. */
  push(from: Address, segments: readonly Segment[]): boolean {
    let commands = 0;
    for (const segment of segments) commands += segment.count;
    if (this.#commands + commands > limits.proposerQueueCommandsMax) return false;
    for (const segment of segments) this.#waiting.push({ from, segment });
    this.#commands += commands;
    return true;
  }

  /** The next batch: as many whole segments as the caps allow, or a part of one that is too long for any batch. */
  takeBatch(timeMs: number): Batch {
    const { commandsMax, bytesMax } = this.#batch;
    const segments: Segment[] = [];
    let count = 0;
    let bytes = 0;
    for (; this.#head < this.#waiting.length; this.#head++) {
      const { from, segment } = this.#waiting[this.#head] as { from: Address; segment: Segment };
      if (count + segment.count > commandsMax) {
        if (count > 0) break;
        segments.push(sliceSegment(segment, 0, commandsMax));
        const rest = sliceSegment(segment, commandsMax, segment.count - commandsMax);
        this.#waiting[this.#head] = { from, segment: rest };
        count = commandsMax;
        break;
      }
      bytes += segmentBytes(segment);
      if (count > 0 && bytes > bytesMax) break;
      segments.push(segment);
      count += segment.count;
    }
    this.#commands -= count;
    this.#compact();
    return { timeMs, count, segments };
  }

  /** Forgets everything; returns whose proposals they were. */
  clear(): Set<Address> {
    const clients = new Set(this.#waiting.slice(this.#head).map(({ from }) => from));
    this.#waiting = [];
    this.#head = 0;
    this.#commands = 0;
    return clients;
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
