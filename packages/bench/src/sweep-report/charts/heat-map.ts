import * as Plot from "@observablehq/plot";
import { textOf } from "../dimensions.js";
import { Html } from "../html.js";
import { reportLimits } from "../limits.js";
import { beside, fastest, labelOf, type Panel, type Point, panelsOf, valuesOf } from "../points.js";
import { compactNumber, textWidth } from "./axes.js";
import { type Chart, chartWidth, draw, leftOut, type Section } from "./chart.js";

/** Steps of the scale of colours in the page's style. */
export const heatSteps = 7;
const shown = ["batch", "pipeline"] as const;
const margins = { marginLeft: 72, marginRight: 16 };

/** Commits per second of each batch with each depth of the pipeline. */
export function heatMapSection(points: readonly Point[]): Section {
  const closed = points.filter(({ settings }) => settings.mode === "closed");
  const panels = panelsOf(closed, shown).filter(
    panel => valuesOf(panel.points, "batch").length > 1 && valuesOf(panel.points, "pipeline").length > 1,
  );
  const drawn = fastest(panels, reportLimits.charts, ({ points }) =>
    Math.max(...points.map(point => point.commitsPerSecond)),
  );
  return {
    id: "grid",
    title: "The grid of batch and pipeline",
    explanation:
      "Commits per second, the median of the repeats, closed-loop clients. Colours go from 0 to the fastest cell of a map, and of the maps of other files with the same settings; the fastest cell of each map has a frame. Empty cells were not measured. A neighbour of the fastest cell may be as good: look at the marks above.",
    charts: drawn.map(panel => heatMap(panel, beside(panel, panels, shown))),
    notes:
      panels.length === 0
        ? ["Not drawn: it takes closed-loop rows with two batch sizes and two depths of the pipeline."]
        : leftOut(drawn.length, panels.length, "maps"),
  };
}

/** Its colours have the scale of all panels `besides`. */
function heatMap({ label, points }: Panel, besides: readonly Panel[]): Chart {
  const batches = valuesOf(points, "batch").map(textOf);
  const depths = valuesOf(points, "pipeline").map(textOf);
  const rates = besides.flatMap(panel => panel.points.map(point => point.commitsPerSecond));
  const highest = Math.max(1, ...rates);
  const fastestHere = Math.max(...points.map(point => point.commitsPerSecond));
  const stepOf = (rate: number) => Math.min(heatSteps - 1, Math.floor((rate / highest) * heatSteps));
  const cells = points.map(point => ({
    x: textOf(point.settings.batch),
    y: textOf(point.settings.pipeline),
    fill: `var(--heat-${stepOf(point.commitsPerSecond)})`,
    ink: `var(--heat-ink-${stepOf(point.commitsPerSecond)})`,
    text: compactNumber(point.commitsPerSecond),
    title: `${labelOf(point, ["batch", "pipeline"])}: ${textOf(Math.round(point.commitsPerSecond))} commits/s, ${point.rows.length} rows`,
    rate: point.commitsPerSecond,
  }));
  const cellWidth = (chartWidth - margins.marginLeft - margins.marginRight) / batches.length;
  const isTilted = batches.some(batch => textWidth(batch) + 6 > cellWidth);
  const place = { x: "x", y: "y" } as const;
  const title = label === "" ? "All rows" : label;
  return {
    title,
    legend: scaleLegend(highest),
    drawing: draw({
      ...margins,
      title: `Commits per second by batch and pipeline: ${title}`,
      height: 90 + 34 * depths.length + (isTilted ? 24 : 0),
      marginBottom: isTilted ? 66 : 42,
      padding: 0.04,
      x: {
        type: "band",
        domain: batches,
        label: "commands per batch at most",
        tickRotate: isTilted ? -40 : 0,
      },
      y: { type: "band", domain: depths, label: "pipeline", reverse: true },
      marks: [
        Plot.cell(cells, { ...place, fill: "fill", title: "title", className: "cells" }),
        Plot.cell(
          cells.filter(({ rate }) => rate === fastestHere),
          { ...place, fill: "none", stroke: "var(--mark)", strokeWidth: 3, className: "fastest" },
        ),
        batches.length > reportLimits.heatMapNumbers
          ? null
          : Plot.text(cells, {
              ...place,
              text: "text",
              fill: "ink",
              pointerEvents: "none",
              className: "numbers",
            }),
      ],
    }),
  };
}

function scaleLegend(highest: number): Html {
  const steps = Array.from(
    { length: heatSteps },
    (_, step) => `<i style="background:var(--heat-${step})"></i>`,
  );
  return new Html(
    `<div class="heat-scale">0 <span>${steps.join("")}</span> ${compactNumber(highest)} commits/s</div>`,
  );
}
