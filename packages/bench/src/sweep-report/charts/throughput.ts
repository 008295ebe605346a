import * as Plot from "@observablehq/plot";
import { textOf } from "../dimensions.js";
import { reportLimits } from "../limits.js";
import { beside, fastest, groupBy, labelOf, type Panel, type Point, panelsOf, valuesOf } from "../points.js";
import { compactNumber, type Tick, textWidth, thinned } from "./axes.js";
import { type Chart, chartWidth, draw, leftOut, type Section, seriesLegend, seriesScales } from "./chart.js";

const shown = ["batch", "pipeline"] as const;
const margins = { marginLeft: 56, marginRight: 24 };
/** How far right of the largest batch the adaptive ones stand, in doublings. */
const adaptiveGap = 1.5;

/** Commits per second against the size of batches, a line for each depth of the pipeline. */
export function throughputSection(points: readonly Point[]): Section {
  const closed = points.filter(({ settings }) => settings.mode === "closed");
  const panels = panelsOf(closed, shown);
  const drawn = fastest(panels, reportLimits.charts, bestOf);
  return {
    id: "throughput",
    title: "Commits per second by batch size",
    explanation:
      "Closed-loop clients. Each mark is one row of the file, so that marks above each other show how far repeats differ; lines go through their medians. A batch holds at most so many commands; adaptive batches follow the load.",
    charts: drawn.map(panel => throughputChart(panel, highestOf(beside(panel, panels, shown)))),
    notes:
      panels.length === 0
        ? ["Not measured: no row has closed-loop clients, and open-loop rows commit what they are asked for."]
        : leftOut(drawn.length, panels.length, "groups of settings"),
  };
}

function throughputChart({ label, points }: Panel, highest: number): Chart {
  const depths = valuesOf(points, "pipeline").map(value => `pipeline ${textOf(value)}`);
  const numeric = points.filter(({ settings }) => settings.batch !== "adaptive");
  const { positionOf, ticks, domain } = batchAxis(points);
  const series = depths.length <= reportLimits.series ? depths : fastestDepths(points);
  const isDrawn = (point: Point) => series.includes(depthOf(point));
  const marks = points.filter(isDrawn).flatMap(point =>
    point.rows.map(row => ({
      x: positionOf(point),
      y: row.commitsPerSecond,
      series: depthOf(point),
      title: `${labelOf(point, ["batch", "pipeline"])}, repeat ${row.repeat}: ${textOf(Math.round(row.commitsPerSecond))} commits/s`,
    })),
  );
  // A line of a single point would be nothing.
  const withLine = groupBy(numeric.filter(isDrawn), depthOf);
  const medians = [...withLine.values()]
    .filter(({ length }) => length > 1)
    .flat()
    .map(point => ({
      x: positionOf(point),
      y: point.commitsPerSecond,
      series: depthOf(point),
    }));
  const title = label === "" ? "All rows" : label;
  return {
    title,
    legend: seriesLegend(series),
    note:
      series.length < depths.length ? `${series.length} of ${depths.length} depths are drawn.` : undefined,
    drawing: draw({
      ...margins,
      ...seriesScales(series),
      title: `Commits per second by batch size: ${title}`,
      x: { domain: [...domain], label: "commands per batch at most" },
      y: { domain: [0, highest * 1.04], label: "commits per second" },
      marks: [
        Plot.gridY({ ticks: 6 }),
        Plot.axisY({ ticks: 6, tickFormat: compactNumber }),
        Plot.axisX(
          ticks.map(({ at }) => at),
          { text: (at: number) => ticks.find(tick => tick.at === at)?.text ?? "" },
        ),
        Plot.ruleY([0]),
        Plot.lineY(medians, { x: "x", y: "y", stroke: "series", className: "medians" }),
        Plot.dot(marks, {
          ...{ x: "x", y: "y", fill: "series", symbol: "series", title: "title" },
          ...{ r: 4, fillOpacity: 0.85, className: "rows" },
        }),
      ],
    }),
  };
}

interface BatchAxis {
  readonly positionOf: (point: Point) => number;
  readonly ticks: readonly Tick[];
  readonly domain: readonly [number, number];
}

/** Doublings of the batch, and a place of its own for adaptive ones. */
function batchAxis(points: readonly Point[]): BatchAxis {
  const sizes = valuesOf(points, "batch").filter(value => typeof value === "number");
  const logs = sizes.map(size => Math.log2(Math.max(1, size)));
  const last = logs.at(-1);
  const adaptiveAt = last === undefined ? 0 : last + adaptiveGap;
  const positionOf = ({ settings: { batch } }: Point) =>
    batch === "adaptive" ? adaptiveAt : Math.log2(Math.max(1, batch));
  const hasAdaptive = points.some(({ settings }) => settings.batch === "adaptive");
  const all: Tick[] = sizes.map((size, index) => ({ at: logs[index]!, text: textOf(size) }));
  if (hasAdaptive) all.push({ at: adaptiveAt, text: "adaptive" });
  const low = (all[0]?.at ?? 0) - 0.3;
  // Half of the last label stands right of its tick.
  const high = (all.at(-1)?.at ?? 0) + 0.3;
  const lengthPx = chartWidth - margins.marginLeft - margins.marginRight;
  const spare = Math.max(0, textWidth(all.at(-1)?.text ?? "") / 2 - margins.marginRight);
  const domain = [low, high + (spare * (high - low)) / lengthPx] as const;
  return { positionOf, ticks: thinned(all, lengthPx, domain), domain };
}

function highestOf(panels: readonly Panel[]): number {
  const rows = panels.flatMap(({ points }) => points.flatMap(point => point.rows));
  return Math.max(1, ...rows.map(row => row.commitsPerSecond));
}

function bestOf({ points }: Panel): number {
  return Math.max(...points.map(point => point.commitsPerSecond));
}

function depthOf({ settings }: Point): string {
  return `pipeline ${textOf(settings.pipeline)}`;
}

function fastestDepths(points: readonly Point[]): string[] {
  const depths = [...groupBy(points, depthOf)];
  return fastest(depths, reportLimits.series, ([, of]) => bestOf({ label: "", points: of })).map(
    ([depth]) => depth,
  );
}
