import * as Plot from "@observablehq/plot";
import { type Dimension, textOf } from "../dimensions.js";
import { reportLimits } from "../limits.js";
import {
  fastest,
  isAdaptive,
  labelOf,
  medianOf,
  type Panel,
  type Point,
  panelsOf,
  valuesOf,
  varying,
} from "../points.js";
import { compactNumber, logTicks, milliseconds } from "./axes.js";
import { type Chart, draw, leftOut, type Section, seriesLegend, seriesScales } from "./chart.js";

const quantiles = ["p50", "p99"] as const;
/** Below this part of the rate that was asked for, a row counts as saturated. */
const keptUp = 0.95;

/** Latency against commits per second: along each line the load grows. */
export function latencySection(points: readonly Point[]): Section {
  const loads = [
    { mode: "open", along: "ratePerSecond", what: "Open loop, by rate" },
    { mode: "closed", along: "clients", what: "Closed loop, by number of clients" },
  ] as const;
  const charts: Chart[] = [];
  const notes: string[] = [];
  for (const { mode, along, what } of loads) {
    const of = points.filter(({ settings }) => settings.mode === mode);
    const curves = panelsOf(of, [along]).filter(({ points }) => valuesOf(points, along).length > 1);
    if (curves.length === 0) {
      notes.push(`${what}: not drawn, it takes rows that differ in nothing but that.`);
      continue;
    }
    const drawn = chosenCurves(curves);
    charts.push(...quantiles.map(quantile => latencyChart(drawn, quantile, along, `${what}, ${quantile}`)));
    notes.push(...leftOut(drawn.length, curves.length, `curves (${what.toLowerCase()})`));
  }
  return {
    id: "latency",
    title: "Latency against throughput",
    explanation:
      "Medians of the repeats; both axes of a chart are measured, not asked for. An open-loop latency counts from the time at which a command was due, so waiting behind a stall counts. A closed-loop client waits for its answer before it asks again: its latency grows with the clients and says nothing of what happens to arrivals that do not wait.",
    charts,
    notes,
  };
}

/** The adaptive defaults, which people have, then the fastest. */
function chosenCurves(curves: readonly Panel[]): Panel[] {
  const rateOf = ({ points }: Panel) => Math.max(...points.map(point => point.commitsPerSecond));
  const isDefault = ({ points }: Panel) => points.every(isAdaptive);
  return fastest(curves, reportLimits.series, curve => (isDefault(curve) ? Infinity : rateOf(curve)));
}

function latencyChart(
  curves: readonly Panel[],
  quantile: (typeof quantiles)[number],
  along: Dimension,
  title: string,
): Chart {
  const names = curves.map(({ label }) => label);
  const marks = curves.flatMap(({ label, points }) =>
    points.flatMap(point => {
      const latencyMs = medianOf(point.rows, row => row.latencyUs[quantile]) / 1000;
      const isBehind = point.commitsPerSecond < keptUp * (point.settings.ratePerSecond ?? 0);
      const told = `${labelOf(point, varying(points))}: ${textOf(Math.round(point.commitsPerSecond))} commits/s, ${quantile} ${milliseconds(latencyMs)} ms`;
      const title = `${told}${isBehind ? ", could not keep up" : ""}`;
      // A logarithm has no place for rows that committed nothing.
      if (latencyMs <= 0) return [];
      return [
        {
          x: point.commitsPerSecond,
          y: latencyMs,
          series: label,
          isBehind,
          title,
          load: point.settings[along as "clients"],
        },
      ];
    }),
  );
  const latencies = marks.map(({ y }) => y);
  const ticks = logTicks(Math.min(...latencies), Math.max(...latencies));
  const behind = marks.filter(({ isBehind }) => isBehind);
  const place = { x: "x", y: "y", symbol: "series", title: "title" } as const;
  return {
    title,
    legend: seriesLegend(names),
    note:
      behind.length > 0
        ? "Hollow marks: the cluster committed less than 95% of the rate asked for."
        : undefined,
    drawing: draw({
      ...seriesScales(names),
      title: `Latency against throughput: ${title}`,
      x: { label: "commits per second", domain: [0, Math.max(1, ...marks.map(({ x }) => x)) * 1.04] },
      y: { type: "log", label: `${quantile}, milliseconds`, domain: [ticks[0]!, ticks.at(-1)!] },
      marks: [
        Plot.gridY(ticks),
        Plot.axisY(ticks, { tickFormat: milliseconds }),
        Plot.axisX({ ticks: 6, tickFormat: compactNumber }),
        Plot.line(marks, {
          x: "x",
          y: "y",
          z: "series",
          stroke: "series",
          sort: "load",
          ariaLabel: "curves",
        }),
        Plot.dot(
          marks.filter(({ isBehind }) => !isBehind),
          { ...place, fill: "series", r: 4, ariaLabel: "points" },
        ),
        Plot.dot(behind, { ...place, stroke: "series", fill: "var(--paper)", r: 4, ariaLabel: "saturated" }),
      ],
    }),
  };
}
