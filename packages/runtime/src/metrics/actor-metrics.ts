/**
 * The counters and histograms of one actor, in shared memory that outlives its threads: each life goes on where the
 * one before has stopped, and whoever looks reads them without asking the actor's thread.
 *
 * One thread writes, by plain stores: aligned numbers of 64 bits, which no 64-bit machine tears.
 */
import {
  type ActorCounter,
  type ActorHistogram,
  actorCounterNames,
  actorHistogramNames,
  unitOf,
} from "./definitions.js";
import { HISTOGRAM_WORDS, Histogram } from "./histogram.js";

/** Beside the counters: the most bytes that were seen in the mailbox. */
const DEPTH_MAX = actorCounterNames.length;
const HISTOGRAMS_AT = DEPTH_MAX + 1;
const WORDS = HISTOGRAMS_AT + actorHistogramNames.length * HISTOGRAM_WORDS;

const slots = Object.fromEntries(actorCounterNames.map((name, slot) => [name, slot])) as Record<
  ActorCounter,
  number
>;

/** Durations are told apart by the microsecond. */
export const stepsPerUnitOf = (name: string): number => (unitOf(name).unit === "ms" ? 1000 : 1);

export function createMetricsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
}

/** One counter. To be kept by who counts: finding it by its name takes longer than counting. */
export class Counter {
  readonly #words: Float64Array;
  readonly #slot: number;

  constructor(words: Float64Array, slot: number) {
    this.#words = words;
    this.#slot = slot;
  }

  get value(): number {
    return this.#words[this.#slot] as number;
  }

  add(by: number): void {
    this.#words[this.#slot] = (this.#words[this.#slot] as number) + by;
  }

  /** Sets what is counted elsewhere; it does not go back. */
  raise(to: number): void {
    if (to > (this.#words[this.#slot] as number)) this.#words[this.#slot] = to;
  }
}

/** A view of the memory, for its actor or for a reader. */
export class ActorMetrics {
  readonly #words: Float64Array;
  readonly #histograms: Readonly<Record<ActorHistogram, Histogram>>;

  constructor(memory: SharedArrayBuffer = createMetricsMemory()) {
    const words = new Float64Array(memory);
    this.#words = words;
    const histogramAt = (index: number) => {
      const at = HISTOGRAMS_AT + index * HISTOGRAM_WORDS;
      return words.subarray(at, at + HISTOGRAM_WORDS);
    };
    this.#histograms = Object.fromEntries(
      actorHistogramNames.map((name, index) => [
        name,
        new Histogram(stepsPerUnitOf(name), histogramAt(index)),
      ]),
    ) as Record<ActorHistogram, Histogram>;
  }

  sawDepth(bytes: number): void {
    if (bytes > (this.#words[DEPTH_MAX] as number)) this.#words[DEPTH_MAX] = bytes;
  }

  get depthBytesMax(): number {
    return this.#words[DEPTH_MAX] as number;
  }

  counter(name: ActorCounter): Counter {
    return new Counter(this.#words, slots[name]);
  }

  histogram(name: ActorHistogram): Histogram {
    return this.#histograms[name];
  }
}
