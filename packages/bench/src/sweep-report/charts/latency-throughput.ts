import * as Plot from "@observablehq/plot";
import { textOf } from "../dimensions.js";
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
} from "../points.js";
import { compactNumber, logTicks, milliseconds } from "./axes.js";
import { type Chart, draw, leftOut, type Section, seriesLegend, seriesScales } from "./chart.js";

const loads = [
  { mode: "open", along: "ratePerSecond", what: "Open loop, by rate", unit: "the rate asked for" },
  { mode: "closed", along: "clients", what: "Closed loop, by number of clients", unit: "clients" },
] as const;
type Load = (typeof loads)[number];
const quantiles = ["p50", "p99"] as const;
type Quantile = (typeof quantiles)[number];
/** Below this part of the rate that was asked for, a row counts as saturated. */
const keptUp = 0.95;

/** Latency against commits per second: along each line the load grows. */
export function latencySection(points: readonly Point[]): Section {
  const drawable = points.filter(point => quantiles.every(quantile => latencyMsOf(point, quantile) > 0));
  const charts: Chart[] = [];
  const notes: string[] = [];
  for (const load of loads) {
    const of = drawable.filter(({ settings }) => settings.mode === load.mode);
    const curves = panelsOf(of, [load.along]).filter(({ points }) => valuesOf(points, load.along).length > 1);
    if (curves.length === 0) {
      notes.push(`${load.what}: not drawn, it takes rows that differ in nothing but that.`);
      continue;
    }
    const drawn = chosenCurves(curves);
    charts.push(...quantiles.map(quantile => latencyChart(drawn, quantile, load)));
    notes.push(...leftOut(drawn.length, curves.length, `curves (${load.what.toLowerCase()})`));
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
  return fastest(curves, reportLimits.series, curve =>
    isDefault(curve) ? Number.POSITIVE_INFINITY : rateOf(curve),
  );
}

function latencyMsOf({ rows }: Point, quantile: Quantile): number {
  return medianOf(rows, row => row.latencyUs[quantile]) / 1000;
}

function latencyChart(curves: readonly Panel[], quantile: Quantile, load: Load): Chart {
  const names = curves.map(({ label }) => label);
  const marks = curves.flatMap(({ label, points }) =>
    points.map(point => markOf(point, label, quantile, load)),
  );
  const behind = marks.filter(({ isBehind }) => isBehind);
  const latencies = marks.map(({ y }) => y);
  const ticks = logTicks(Math.min(...latencies), Math.max(...latencies));
  const highest = Math.max(1, ...marks.map(({ x }) => x)) * 1.06;
  const labelled = withRoom(
    marks.filter(({ series }) => series === names[0]),
    highest,
    ticks.at(-1)! / ticks[0]!,
  );
  const place = { x: "x", y: "y", symbol: "series", title: "title" } as const;
  const title = `${load.what}, ${quantile}`;
  return {
    title,
    legend: seriesLegend(names),
    note: `Numbers on the ${names.length > 1 ? "first curve" : "curve"}: ${load.unit}.${behind.length > 0 ? " Hollow marks: less than 95% of the rate was committed." : ""}`,
    drawing: draw({
      ...seriesScales(names),
      title: `Latency against throughput: ${title}`,
      x: { label: "commits per second", domain: [0, highest] },
      y: { type: "log", label: `${quantile}, milliseconds`, domain: [ticks[0]!, ticks.at(-1)!] },
      marks: [
        Plot.gridY(ticks),
        Plot.axisY(ticks, { text: milliseconds }),
        Plot.axisX({ ticks: 6, tickFormat: compactNumber }),
        Plot.line(marks, { x: "x", y: "y", stroke: "series", sort: "load", className: "curves" }),
        Plot.dot(
          marks.filter(({ isBehind }) => !isBehind),
          { ...place, fill: "series", r: 4, className: "points" },
        ),
        Plot.dot(behind, { ...place, stroke: "series", fill: "var(--paper)", r: 4, className: "saturated" }),
        Plot.text(labelled, {
          ...{ x: "x", y: "y", text: "loadText", dy: -11, className: "loads" },
          ...{ fill: "var(--ink)", stroke: "var(--paper)", strokeWidth: 3, pointerEvents: "none" },
        }),
      ],
    }),
  };
}

function markOf(point: Point, series: string, quantile: Quantile, { along }: Load) {
  const { commitsPerSecond, settings } = point;
  const latencyMs = latencyMsOf(point, quantile);
  const isBehind = commitsPerSecond < keptUp * (settings.ratePerSecond ?? 0);
  const load = settings[along] ?? 0;
  const asked = labelOf(point, [along]);
  const title = `${[series, asked].filter(text => text !== "").join(", ")}: ${textOf(Math.round(commitsPerSecond))} commits/s, ${quantile} ${milliseconds(latencyMs)} ms${isBehind ? ", could not keep up" : ""}`;
  return {
    x: commitsPerSecond,
    y: latencyMs,
    series,
    isBehind,
    title,
    load,
    loadText: along === "clients" ? textOf(load) : compactNumber(load),
  };
}

/** Labels that do not touch, the highest load first. Both arguments say how long the axes are. */
function withRoom<T extends { readonly x: number; readonly y: number }>(
  marks: readonly T[],
  highest: number,
  decades: number,
): T[] {
  const kept: T[] = [];
  for (const mark of [...marks].reverse()) {
    const touches = kept.some(
      other =>
        Math.abs(other.x - mark.x) / highest < 0.08 &&
        Math.abs(Math.log(other.y / mark.y)) / Math.log(decades) < 0.07,
    );
    if (!touches) kept.push(mark);
  }
  return kept;
}
