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
