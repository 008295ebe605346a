import * as Plot from "@observablehq/plot";
import { reportLimits } from "../limits.js";
import { groupBy, highlights, medianOf, type Point, varying } from "../points.js";
import { compactNumber, textWidth } from "./axes.js";
import { barLabels } from "./bar-labels.js";
import { axisFontSize, type Chart, draw, highlightsNote, type Section, wideChartWidth } from "./chart.js";
import { heatSteps } from "./heat-map.js";

/** Roles in the order in which a command meets them; what is not among them comes last. */
const roles = ["clients", "proposer", "acceptor", "learner"];
const processColumn = "process";
const [marginRight, marginBottom] = [16, 12];
const lineHeight = axisFontSize;
/** Degrees. */
const tilt = 40;

/** What part of a core each actor took. */
export function cpuSection(points: readonly Point[]): Section {
  const measured = points.filter(({ rows }) => rows.some(row => row.cpu !== null));
  const chosen = highlights(measured, reportLimits.bars);
  // Actors that share a thread have no CPU time of their own, so that each mode has other columns.
  const modes = [...groupBy(chosen, ({ settings }) => settings.threads)];
  return {
    id: "cpu",
    title: "CPU of each actor",
    explanation:
      "Parts of one core, medians of the repeats; all client threads together are one column, which may exceed 100%. An actor near 100% bounds throughput. If none is, threads wait: for each other, for clients, or for cores, of which the process can have no more than the machine has.",
    charts: modes.map(([mode, of]) => cpuChart(of, mode)),
    notes:
      chosen.length === 0
        ? ["Not measured: these files hold no CPU times."]
        : highlightsNote(chosen.length, measured.length),
  };
}

function cpuChart(points: readonly Point[], mode: string): Chart {
  const { labels, marginLeft, barHeight } = barLabels(points, varying(points));
  const actors = actorsOf(points);
  const cells = points.flatMap((point, index) => cellsOf(point, labels[index]!, actors));
  const columns = [...actors, processColumn];
  const heads = headsOf(columns, (wideChartWidth - marginLeft - marginRight) / columns.length);
  const place = { x: "x", y: "y" } as const;
  const title = `${mode} threads: parts of a core; of the process, cores`;
  const drawing = draw({
    title: `CPU of each actor, ${title}`,
    width: wideChartWidth,
    height: heads.height + barHeight * points.length + marginBottom,
    ...{ marginTop: heads.height, marginLeft, marginRight, marginBottom },
    padding: 0.06,
    x: { type: "band", domain: columns, label: null, axis: "top", tickSize: 0, ...heads.ticks },
    y: { type: "band", domain: labels, label: null, tickSize: 0 },
    marks: [
      Plot.cell(cells, { ...place, fill: "fill", title: "title", className: "cells" }),
      Plot.text(cells, { ...place, text: "text", fill: "ink", pointerEvents: "none", className: "numbers" }),
    ],
  });
  return { title, drawing, isWide: true };
}

/** Names of threads above their columns: one actor to a line, tilted where columns are narrow. */
function headsOf(columns: readonly string[], columnWidth: number) {
  const split = (name: string) => name.replaceAll(" + ", " +\n");
  const lines = columns.map(column => split(column).split("\n"));
  const widest = Math.max(...lines.flat().map(line => textWidth(line)));
  const tallest = Math.max(...lines.map(({ length }) => length)) * lineHeight;
  const isTilted = widest + 6 > columnWidth;
  const height = isTilted ? (widest + tallest) * Math.sin((tilt * Math.PI) / 180) + tallest : tallest;
  return { height: height + 24, ticks: { tickFormat: split, tickRotate: isTilted ? -tilt : 0 } };
}

/** All actors of these points, by role and number. */
function actorsOf(points: readonly Point[]): string[] {
  const names = new Set(
    points.flatMap(({ rows }) => rows.flatMap(row => Object.keys(row.cpu?.actors ?? {}))),
  );
  const roleOf = (name: string) =>
    (roles.indexOf(name.replace(/-\d+.*$/, "")) + roles.length + 1) % (roles.length + 1);
  return [...names].sort((a, b) => roleOf(a) - roleOf(b) || a.localeCompare(b, "en", { numeric: true }));
}

/** None where an actor was not there, or was not measured. */
function cellsOf(point: Point, y: string, actors: readonly string[]) {
  const rows = point.rows.filter(row => row.cpu !== null);
  const process = medianOf(rows, row => row.cpu?.process ?? 0);
  const parts = actors
    .filter(actor => rows.some(row => row.cpu?.actors[actor] !== undefined))
    .map(actor => {
      const part = medianOf(
        rows.filter(row => row.cpu?.actors[actor] !== undefined),
        row => row.cpu?.actors[actor] ?? 0,
      );
      const step = Math.min(heatSteps - 1, Math.floor(part * heatSteps));
      const text = `${Math.round(part * 100)}%`;
      return { x: actor, y, text, title: `${actor}: ${text} of a core`, ...colorsOf(step) };
    });
  const text = compactNumber(process);
  return [
    ...parts,
    { x: processColumn, y, text, title: `process: ${text} cores`, fill: "none", ink: "var(--ink)" },
  ];
}

function colorsOf(step: number) {
  return { fill: `var(--heat-${step})`, ink: `var(--heat-ink-${step})` };
}
