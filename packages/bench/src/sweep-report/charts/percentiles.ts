import * as Plot from "@observablehq/plot";
import type { RowLine, Settings } from "../../results/format.js";
import { reportLimits } from "../limits.js";
import { highlights, labelOf, type Point, varying } from "../points.js";
import { logTicks, milliseconds, type Tick, thinned } from "./axes.js";
import {
  type Chart,
  chartWidth,
  draw,
  highlightsNote,
  type Section,
  seriesLegend,
  seriesScales,
  wideChartWidth,
} from "./chart.js";

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
const titles = { closed: "Closed loop", open: "Open loop" } as const;
const margins = { marginLeft: 56, marginRight: 40 };

/** How latency is distributed, with room for the tail. */
export function percentilesSection(points: readonly Point[]): Section {
  const measured = points.filter(({ rows }) => percentileCurve(rows).length > 0);
  const modes = ["closed", "open"] as const;
  const groups = modes
    .map(mode => ({ mode, of: measured.filter(({ settings }) => settings.mode === mode) }))
    .filter(({ of }) => of.length > 0)
    .map(group => ({ ...group, chosen: highlights(group.of, reportLimits.series) }));
  return {
    id: "percentiles",
    title: "Latency percentiles",
    explanation:
      "All repeats of a row together. The axis is as long from 90% to 99% as from 99% to 99.9%, so that the tail can be seen; where a curve ends, one command is left, the slowest.",
    charts: groups.map(({ mode, chosen }) => percentilesChart(chosen, mode, groups.length === 1)),
    notes:
      groups.length === 0
        ? ["Not measured: no row has a histogram."]
        : groups.flatMap(({ mode, of, chosen }) =>
            highlightsNote(chosen.length, of.length).map(note => `${titles[mode]}: ${note}`),
          ),
  };
}

function percentilesChart(chosen: readonly Point[], mode: Settings["mode"], isWide: boolean): Chart {
  const differing = varying(chosen);
  const names = chosen.map(point => labelOf(point, differing));
  const curves = chosen.flatMap((point, index) =>
    percentileCurve(point.rows).map(at => ({ ...at, series: names[index]! })),
  );
  const latencies = curves.map(({ latencyMs }) => latencyMs);
  const ticks = logTicks(Math.min(...latencies), Math.max(...latencies));
  const rarest = Math.max(10, ...curves.map(({ oneIn }) => oneIn));
  const width = isWide ? wideChartWidth : chartWidth;
  const labels = percentileTicks(rarest, width - margins.marginLeft - margins.marginRight);
  const oneIns = labels.map(({ at }) => 10 ** at);
  const title = `${titles[mode]}, latency by percentile`;
  const drawing = draw({
    ...margins,
    ...seriesScales(names),
    title,
    width,
    height: 380,
    x: { type: "log", domain: [1, rarest], label: "percentile of the commands" },
    y: { type: "log", domain: [ticks[0]!, ticks.at(-1)!], label: "latency, milliseconds" },
    marks: [
      Plot.gridY(ticks),
      Plot.gridX(oneIns),
      Plot.axisY(ticks, { text: milliseconds }),
      Plot.axisX(oneIns, { text: labels.map(({ text }) => text) }),
      Plot.line(curves, {
        x: "oneIn",
        y: "latencyMs",
        stroke: "series",
        strokeWidth: 2,
        className: "curves",
      }),
      Plot.dot(lastOfEach(curves), {
        ...{ x: "oneIn", y: "latencyMs", fill: "series", symbol: "series", r: 5, className: "slowest" },
      }),
    ],
  });
  return { title, drawing, legend: seriesLegend(names), isWide };
}

function percentileTicks(rarest: number, lengthPx: number): Tick[] {
  const ticks = marked.map(({ oneIn, text }) => ({ at: Math.log10(oneIn), text }));
  const end = Math.log10(rarest);
  return thinned(
    ticks.filter(({ at }) => at <= end),
    lengthPx,
    [0, end],
  );
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

function lastOfEach<T extends { readonly series: string }>(curves: readonly T[]): T[] {
  return curves.filter((at, index) => curves[index + 1]?.series !== at.series);
}
