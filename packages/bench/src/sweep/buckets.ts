import { type Histogram, JsHistogram } from "hdr-histogram-js";
import type { LatencyUs } from "../results/format.js";

/** Thirteen to a decade: a minute in microseconds has about a hundred, each 19% higher than the one before it. */
const bucketsPerDecade = 13;

/** What a result file says of the latencies in a histogram, which are in microseconds. */
export function latencyUsOf(histogram: Histogram): LatencyUs {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile);
  const isEmpty = histogram.totalCount === 0;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: isEmpty ? 0 : histogram.maxValue,
    mean: isEmpty ? 0 : Number(histogram.mean.toPrecision(6)),
    histogram: bucketsOf(histogram),
  };
}

/** Upper bounds and counts of the buckets that have something in them, in ascending order. */
function bucketsOf(histogram: Histogram): [number, number][] {
  if (!(histogram instanceof JsHistogram)) throw new TypeError("a histogram without its values");
  const counts = new Map<number, number>();
  const values = histogram.recordedValuesIterator;
  values.reset();
  while (values.hasNext()) {
    const { valueIteratedTo, countAddedInThisIterationStep } = values.next();
    const bound = boundOf(valueIteratedTo);
    counts.set(bound, (counts.get(bound) ?? 0) + countAddedInThisIterationStep);
  }
  return [...counts];
}

function boundOf(value: number): number {
  const bucket = Math.ceil(Math.log10(Math.max(value, 1)) * bucketsPerDecade - 1e-9);
  return Number((10 ** (bucket / bucketsPerDecade)).toPrecision(4));
}
