/**
 * Histograms with buckets that grow with the values, in memory that threads may share: recording a value takes a few
 * nanoseconds, makes no garbage, and one thread may read while another one records.
 *
 * The idea is that of HdrHistogram: four buckets for each power of two, so that a value is known to an eighth or so.
 */

/** A histogram as it was at one moment: plain data. */
export interface HistogramSnapshot {
  /** How many values were recorded. */
  readonly count: number;
  /** All of them together, and the largest, in the unit of the metric's name. */
  readonly sum: number;
  readonly max: number;
  /** The buckets that are not empty: `count` values above those of the bucket before, up to `upTo`. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
}

/** Buckets that one power of two is divided into; the first bits of a number tell which. */
const SUB_BITS = 2;
const SUB = 2 ** SUB_BITS;
/** Numbers of up to 31 bits. */
const BUCKETS = (31 - SUB_BITS) * SUB + SUB;
const STEPS_MAX = 2 ** 31 - 1;

const SUM = 0;
const MAX = 1;
const FIRST_BUCKET = 2;

/** Numbers of 64 bits that a histogram takes. */
export const HISTOGRAM_WORDS = FIRST_BUCKET + BUCKETS;

/** Which bucket a number of steps above zero belongs to: bucket 0 is up to one step, and so on. */
function bucketOf(steps: number): number {
  const above = Math.min(Math.ceil(steps) - 1, STEPS_MAX);
  if (above < SUB) return Math.max(above, 0);
  const exponent = 31 - Math.clz32(above);
  return (exponent - SUB_BITS + 1) * SUB + ((above >>> (exponent - SUB_BITS)) & (SUB - 1));
}

/** The most steps that a bucket holds. */
function upperBound(bucket: number): number {
  if (bucket < SUB) return bucket + 1;
  const exponent = Math.floor(bucket / SUB) + SUB_BITS - 1;
  return (SUB + (bucket % SUB) + 1) * 2 ** (exponent - SUB_BITS);
}

export class Histogram {
  readonly #words: Float64Array;
  readonly #stepsPerUnit: number;

  /** Goes on with what is in `words`. Values differ if they are at least 1 / `stepsPerUnit` apart. */
  constructor(stepsPerUnit: number, words: Float64Array = new Float64Array(HISTOGRAM_WORDS)) {
    this.#stepsPerUnit = stepsPerUnit;
    this.#words = words;
  }

  /** Negative values count as zero: a clock that two threads share is exact to some microseconds. */
  record(value: number): void {
    const words = this.#words;
    const bucket = FIRST_BUCKET + bucketOf(value * this.#stepsPerUnit);
    words[bucket] = (words[bucket] as number) + 1;
    if (value > 0) words[SUM] = (words[SUM] as number) + value;
    if (value > (words[MAX] as number)) words[MAX] = value;
  }

  read(): HistogramSnapshot {
    const buckets: { upTo: number; count: number }[] = [];
    let all = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#words[FIRST_BUCKET + bucket] as number;
      if (count === 0) continue;
      all += count;
      buckets.push({ upTo: upperBound(bucket) / this.#stepsPerUnit, count });
    }
    return { count: all, sum: this.#words[SUM] as number, max: this.#words[MAX] as number, buckets };
  }
}

/**
 * The value that a part of all values, from 0 to 1, does not exceed: `quantileOf(metrics.acceptMs, 0.99)`, in the unit
 * of the metric's name and about an eighth too high at most. 0 when nothing was recorded.
 *
 * @throws RangeError for a part that is not from 0 to 1
 */
export function quantileOf(histogram: HistogramSnapshot, part: number): number {
  if (!(part >= 0 && part <= 1)) throw new RangeError(`the part is ${part}; it must be from 0 to 1`);
  let below = 0;
  for (const { upTo, count } of histogram.buckets) {
    below += count;
    if (below >= part * histogram.count) return Math.min(upTo, histogram.max);
  }
  return 0;
}
