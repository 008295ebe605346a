/** A mean, and half the width of its 95% confidence interval in percent of it. */
export interface Estimate {
  readonly mean: number;
  readonly spread: number;
}

/** The middle one, or the mean of the two in the middle; null of nothing. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
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

/** Rounds of a measurement whose spread is that between processes. */
export const microRounds = 5;
/** Student's t for a two-sided interval of 95% of so many rounds. */
const tOfRounds = 2.776;

/** The mean of so many rounds with its 95% confidence interval. */
export function estimateOfRounds(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return { mean, spread: (100 * tOfRounds * deviation) / Math.sqrt(values.length) / mean };
}
