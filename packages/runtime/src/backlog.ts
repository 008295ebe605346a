import { type AcceptedEntry, batchBytes, sliceBatch } from "@synod/core";
import { runtimeLimits } from "./limits.js";

/** A chosen value that was handed on. */
export interface Learned {
  readonly entry: AcceptedEntry;
  /** What it takes in memory, about. */
  readonly bytes: number;
  /** When it was learned, in milliseconds. */
  readonly learnedAtMs: number;
}

/** What a learner has learned and not applied yet, in order. */
export class Backlog {
  #waiting: Learned[] = [];
  /** What is before this position was taken. */
  #head = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** What is to be applied next; undefined when nothing is. */
  get first(): Learned | undefined {
    return this.#waiting[this.#head];
  }

  push(entry: AcceptedEntry, learnedAtMs: number): void {
    const bytes = weightOf(entry);
    this.#bytes += bytes;
    this.#waiting.push({ entry, bytes, learnedAtMs });
  }

  /** Removes the first. */
  shift(): void {
    this.#bytes -= this.first?.bytes ?? 0;
    this.#head += 1;
    if (this.#head < this.#waiting.length) return;
    this.#waiting = [];
    this.#head = 0;
  }

  /** A snapshot holds everything below: it is not applied again. */
  dropBelow(instance: number): void {
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    this.#bytes = 0;
    for (const { entry, learnedAtMs } of waiting) {
      const skip = Math.max(0, instance - entry.firstInstance);
      if (skip < entry.count) this.push(skip === 0 ? entry : partOf(entry, skip), learnedAtMs);
    }
  }
}

function partOf(entry: AcceptedEntry, skip: number): AcceptedEntry {
  const { firstInstance, batch } = entry;
  const count = entry.count - skip;
  return { ...entry, firstInstance: firstInstance + skip, count, batch: sliceBatch(batch, skip, count) };
}

function weightOf({ batch }: AcceptedEntry): number {
  return batchBytes(batch) + runtimeLimits.entryOverheadBytes;
}
