import * as Plot from "@observablehq/plot";
import type { RowLine } from "../../results/format.js";
import { reportLimits } from "../limits.js";
import { highlights, labelOf, type Point, varying } from "../points.js";
import { logTicks, milliseconds, thinned } from "./axes.js";
import { draw, leftOut, type Section, seriesLegend, seriesScales, wideChartWidth } from "./chart.js";

/** So many of `of` commands took at most `latencyMs`; of the others there is one in `oneIn`. */
export interface PercentilePoint {
  readonly oneIn: number;
  readonly latencyMs: number;
}

const marked = [
  { oneIn: 1, text: "0%" },
  { oneIn: 2, text: "50%" },
  { oneIn: 10, text: "90%" },
  { oneIn: 100, text: "99%" },
  { oneIn: 1e3, text: "99.9%" },
  { oneIn: 1e4, text: "99.99%" },
  { oneIn: 1e5, text: "99.999%" },
  { oneIn: 1e6, text: "99.9999%" },
  { oneIn: 1e7, text: "99.99999%" },
];
const margins = { marginLeft: 56, marginRight: 40 };

/** How latency is distributed, tail first. */
export function percentilesSection(points: readonly Point[]): Section {
  const measured = points.filter(({ rows }) => percentileCurve(rows).length > 0);
  const chosen = highlights(measured, reportLimits.series);
  const base = {
    id: "percentiles",
    title: "Latency percentiles",
    explanation:
      "All repeats of a row together. The axis is as long from 90% to 99% as from 99% to 99.9%, so that the tail can be seen; where a curve ends, one command is left, the slowest. Of each group of settings the fastest batch and pipeline and the adaptive default are taken.",
  };
  if (chosen.length === 0) return { ...base, charts: [], notes: ["Not measured: no row has a histogram."] };
  const differing = varying(points);
  const names = chosen.map(point => labelOf(point, differing));
  const curves = chosen.flatMap((point, index) =>
    percentileCurve(point.rows).map(at => ({ ...at, series: names[index] })),
  );
  const latencies = curves.map(({ latencyMs }) => latencyMs);
  const ticks = logTicks(Math.min(...latencies), Math.max(...latencies));
  const rarest = Math.max(10, ...curves.map(({ oneIn }) => oneIn));
  const shown = marked.filter(({ oneIn }) => oneIn <= rarest);
  const lengthPx = wideChartWidth - margins.marginLeft - margins.marginRight;
  const labels = thinned(
    shown.map(({ oneIn, text }) => ({ at: Math.log10(oneIn), text })),
    lengthPx,
    [0, Math.log10(rarest)],
  ).map(({ text }) => marked.find(mark => mark.text === text)!);
  const drawing = draw({
    ...margins,
    ...seriesScales(names),
    title: "Latency by percentile",
    width: wideChartWidth,
    height: 380,
    x: { type: "log", domain: [1, rarest], label: "percentile of the commands" },
    y: { type: "log", domain: [ticks[0]!, ticks.at(-1)!], label: "latency, milliseconds" },
    marks: [
      Plot.gridY(ticks),
      Plot.gridX(labels.map(({ oneIn }) => oneIn)),
      Plot.axisY(ticks, { tickFormat: milliseconds }),
      Plot.axisX(
        labels.map(({ oneIn }) => oneIn),
        { tickFormat: (oneIn: number) => labels.find(label => label.oneIn === oneIn)?.text ?? "" },
      ),
      Plot.line(curves, {
        x: "oneIn",
        y: "latencyMs",
        stroke: "series",
        strokeWidth: 2,
        ariaLabel: "curves",
      }),
      Plot.dot(lastOfEach(curves), {
        ...{ x: "oneIn", y: "latencyMs", fill: "series", symbol: "series", r: 5, ariaLabel: "slowest" },
      }),
    ],
  });
  return {
    ...base,
    charts: [{ title: "Latency by percentile", drawing, legend: seriesLegend(names), isWide: true }],
    notes: leftOut(chosen.length, measured.length, "settings"),
  };
}

/** From the histograms of all rows; a bucket counts up to its upper bound. */
export function percentileCurve(rows: readonly RowLine[]): PercentilePoint[] {
  const counts = new Map<number, number>();
  for (const { latencyUs } of rows) {
    for (const [valueUs, count] of latencyUs.histogram) {
      if (count > 0 && valueUs > 0) counts.set(valueUs, (counts.get(valueUs) ?? 0) + count);
    }
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  const curve: PercentilePoint[] = [];
  for (const [valueUs, count] of buckets) {
    if (curve.length === 0) curve.push({ oneIn: 1, latencyMs: valueUs / 1000 });
    below += count;
    // The last bucket holds the slowest command, behind which there is none.
    curve.push({ oneIn: below === total ? total : total / (total - below), latencyMs: valueUs / 1000 });
  }
  return curve;
}

function lastOfEach<T extends { readonly series: string | undefined }>(curves: readonly T[]): T[] {
  return curves.filter((at, index) => curves[index + 1]?.series !== at.series);
}
