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
