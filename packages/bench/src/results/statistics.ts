import { mean, median as medianOf, quantile, sampleVariance } from "simple-statistics";

/** A mean, and half the width of its 95% confidence interval in percent of it. */
export interface Estimate {
  readonly mean: number;
  readonly spread: number;
}

/** How one thing relates to another, and how sure that is. */
export interface RatioEstimate {
  readonly ratio: number;
  /** The 95% confidence interval; from 0 to infinity where there were not two measurements of each. */
  readonly low: number;
  readonly high: number;
  /** False where the interval has 1 in it: say "no difference" then, and nothing of the ratio. */
  readonly differs: boolean;
  /** Measurements of each, or pairs of them. */
  readonly count: number;
}

/** How far measurements of the same thing are apart. */
export interface Noise {
  /** The middle and the 90th percentile, in percent, of how far two of them differ. */
  readonly typicalPercent: number;
  readonly largePercent: number;
  /** Pairs of measurements of the same thing. */
  readonly pairs: number;
}

/**
 * Student's t: 97.5% of it lie below, by degrees of freedom from 1 to 30. Between there and the normal distribution
 * the last one is used: intervals are then up to 4% too wide, never too narrow.
 */
const t975 = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
  ...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
] as const;

/** The middle one, or the mean of the two in the middle; null of nothing. */
export function median(values: readonly number[]): number | null {
  return values.length === 0 ? null : medianOf([...values]);
}

/** A quarter of them are not above it. What took longer since something else had the core is left out of account. */
export function lowerQuartile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? Number.NaN;
}

/** Null when there is nothing to divide by. */
export function ratio(numerator: number, denominator: number | undefined): number | null {
  return denominator === undefined || denominator === 0 ? null : numerator / denominator;
}

/** Whether the confidence intervals are apart. Where they overlap, samples do not tell the two from each other. */
export function differ(a: Estimate, b: Estimate): boolean {
  return Math.abs(a.mean - b.mean) > (a.mean * a.spread + b.mean * b.spread) / 100;
}

/** How far the ratio of two means may be off, in percent: the relative errors of independent means add in squares. */
export function ratioSpread(a: Estimate, b: Estimate): number {
  return Math.hypot(a.spread, b.spread);
}

/** The mean of at least two rounds with its 95% confidence interval. */
export function estimateOfRounds(values: readonly number[]): Estimate {
  const middle = mean([...values]);
  const error = Math.sqrt(sampleVariance([...values]) / values.length);
  return { mean: middle, spread: (100 * tQuantile(values.length - 1) * error) / middle };
}

/**
 * The ratio of measurements that were taken in turns, the first of `a` beside the first of `b` and so on: what
 * disturbs the machine for a while disturbs both of a pair, and leaves their ratio alone. Of logarithms, so that
 * twice and half are equally far from 1; a paired t-test.
 *
 * @throws RangeError for lists of different lengths or of none
 */
export function ratioOfPairs(a: readonly number[], b: readonly number[]): RatioEstimate {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} measurements are no pairs`);
  const logs = a.map((value, at) => logarithm(value) - logarithm(b[at]!));
  if (logs.length < 2) return estimate(mean(logs), Number.POSITIVE_INFINITY, logs.length);
  const error = Math.sqrt(sampleVariance(logs) / logs.length);
  return estimate(mean(logs), error * tQuantile(logs.length - 1), logs.length);
}

/**
 * The ratio of measurements that were not taken in turns, as those of two files: Welch's t-test of logarithms. It
 * can't tell a difference of the things from a difference of the machine between the one time and the other.
 *
 * @throws RangeError for a list of none
 */
export function ratioOfSamples(a: readonly number[], b: readonly number[]): RatioEstimate {
  const [logsA, logsB] = [a.map(logarithm), b.map(logarithm)];
  const difference = mean(logsA) - mean(logsB);
  const count = Math.min(a.length, b.length);
  if (count < 2) return estimate(difference, Number.POSITIVE_INFINITY, count);
  const [partA, partB] = [sampleVariance(logsA) / a.length, sampleVariance(logsB) / b.length];
  const sum = partA + partB;
  const freedom = sum === 0 ? 1 : sum ** 2 / (partA ** 2 / (a.length - 1) + partB ** 2 / (b.length - 1));
  return estimate(difference, Math.sqrt(sum) * tQuantile(freedom), count);
}

/** Of groups of measurements of the same thing each; null where nothing was measured twice. */
export function noiseOf(groups: readonly (readonly number[])[]): Noise | null {
  const apart = groups.flatMap(group =>
    group.flatMap((value, at) =>
      group.slice(at + 1).map(other => 100 * (Math.max(value, other) / Math.min(value, other) - 1)),
    ),
  );
  const finite = apart.filter(Number.isFinite);
  if (finite.length === 0) return null;
  return {
    typicalPercent: quantile(finite, 0.5),
    largePercent: quantile(finite, 0.9),
    pairs: finite.length,
  };
}

/** A rate of nothing has no logarithm: it counts as very little, which makes any interval wide. */
function logarithm(value: number): number {
  return Math.log(Math.max(value, 1e-9));
}

function tQuantile(freedom: number): number {
  return t975[Math.min(Math.max(Math.floor(freedom), 1), t975.length) - 1]!;
}

function estimate(log: number, halfWidth: number, count: number): RatioEstimate {
  const [low, high] = [Math.exp(log - halfWidth), Math.exp(log + halfWidth)];
  return { ratio: Math.exp(log), low, high, differs: low > 1 || high < 1, count };
}
