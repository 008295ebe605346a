import { limits } from "./limits.js";
import type { Result, Results } from "./messages.js";

export interface SampleOptions {
  /** 32 bits that stand for a result: of equal results they are equal. */
  readonly digestOf: (result: Result) => number;
  /** Every instance divisible by this is a sample: the same for all replicas. See {@link limits}. */
  readonly every?: number;
}

/** An instance, and the chain of digests up to and with its result. */
export type Sample = readonly [instance: number, chain: number];

/** As a snapshot carries it. */
export interface SamplesState {
  readonly chain: number;
  /** The latest ones, oldest first. */
  readonly samples: readonly Sample[];
}

export const noSamples: SamplesState = { chain: 0, samples: [] };

/**
 * A chain of digests over some of the results, to find out whether two replicas' state machines have gone apart. Which
 * results are taken follows from the instance alone. A chain covers all samples before it: two that are equal at one
 * instance were equal at every earlier one, whatever was lost of what was said about those.
 */
export class ResultSamples {
  readonly #digestOf: (result: Result) => number;
  readonly #every: number;
  #chain: number;
  /** Instances and their chains side by side, oldest first: a pair for each would be garbage at the rate of commits. */
  #instances: number[];
  #chains: number[];

  constructor({ digestOf, every = limits.resultSampleEvery }: SampleOptions, state = noSamples) {
    this.#digestOf = digestOf;
    this.#every = every;
    this.#chain = state.chain;
    this.#instances = state.samples.map(([instance]) => instance);
    this.#chains = state.samples.map(([, chain]) => chain);
  }

  /** What the commands of consecutive instances returned that were applied now. */
  add(firstInstance: number, results: Results): void {
    const every = this.#every;
    const past = firstInstance % every;
    for (let position = past === 0 ? 0 : every - past; position < results.length; position += every) {
      const instance = firstInstance + position;
      this.#chain = mix(this.#chain, instance, this.#digestOf(results[position]));
      this.#instances.push(instance);
      this.#chains.push(this.#chain);
    }
    // Twice as many at times, so that dropping the oldest costs next to nothing for each.
    if (this.#instances.length < 2 * limits.resultSamplesKept) return;
    this.#instances = this.#instances.slice(-limits.resultSamplesKept);
    this.#chains = this.#chains.slice(-limits.resultSamplesKept);
  }

  state(): SamplesState {
    const kept = Math.max(0, this.#instances.length - limits.resultSamplesKept);
    const samples = this.#instances.slice(kept).map((_, position) => this.#sample(kept + position));
    return { chain: this.#chain, samples };
  }

  /** The last sample below an instance; undefined when there was none, or none is kept. */
  lastBelow(instance: number): Sample | undefined {
    const position = this.#positionOf(instance) - 1;
    return position < 0 ? undefined : this.#sample(position);
  }

  /**
   * Chains that are equal here or later were equal at every sample below `instance`; undefined when there was none. It
   * is the last one below, or the oldest that is kept when that one may be gone.
   */
  witnessOf(instance: number): number | undefined {
    const last = this.lastBelow(instance)?.[0];
    if (last !== undefined || this.#instances.length < limits.resultSamplesKept) return last;
    return this.#instances[0];
  }

  /** The chain at a sampled instance; undefined when it is none, or not kept. */
  at(instance: number): number | undefined {
    const position = this.#positionOf(instance);
    return this.#instances[position] === instance ? this.#chains[position] : undefined;
  }

  /**
   * Samples at and above an instance, oldest first: all of them, or at most `max`, evenly spread, the first and the last
   * among them.
   */
  from(instance: number, max = Number.POSITIVE_INFINITY): readonly Sample[] {
    const first = this.#positionOf(instance);
    const count = this.#instances.length - first;
    if (count <= max) return Array.from({ length: count }, (_, position) => this.#sample(first + position));
    const step = (count - 1) / (max - 1);
    return Array.from({ length: max }, (_, position) => this.#sample(first + Math.round(position * step)));
  }

  #sample(position: number): Sample {
    return [this.#instances[position] as number, this.#chains[position] as number];
  }

  /** Position of the first sample at or above an instance. */
  #positionOf(instance: number): number {
    let low = 0;
    let high = this.#instances.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#instances[middle] as number) < instance) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Source: Appleby, MurmurHash3, the step of its 32-bit variant, once for each of the parts. */
function mix(chain: number, instance: number, digest: number): number {
  let hash = chain;
  for (const part of [instance, instance / 2 ** 32, digest]) {
    let block = Math.imul(part >>> 0, 0xcc9e2d51);
    block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    hash ^= block;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  return hash >>> 0;
}
