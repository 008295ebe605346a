import type { Latencies } from "../load.js";
import type { Sampled } from "../sampling.js";

/** Something that was sampled in turns with the other rows of its section. */
export interface EmbedRow {
  readonly id: string;
  /** Operations per second: the mean of the samples. */
  readonly perSecond: number;
  /** Half the width of the 95% confidence interval, in percent of the mean. */
  readonly perSecondSpread: number;
  /** Of one operation, in milliseconds; null where single ones are too short to be timed. */
  readonly latencyMs: Latencies | null;
  /** Operations per second, by sample. */
  readonly samples: readonly number[];
}

export function rowOf(id: string, sampled: Sampled, isTimed: boolean): EmbedRow {
  const { commitsPerSecond, commitsPerSecondSpread, latencyMs, samples } = sampled;
  return {
    id,
    perSecond: commitsPerSecond,
    perSecondSpread: commitsPerSecondSpread,
    latencyMs: isTimed ? latencyMs : null,
    samples,
  };
}
