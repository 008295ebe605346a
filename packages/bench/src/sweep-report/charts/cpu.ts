import * as Plot from "@observablehq/plot";
import { reportLimits } from "../limits.js";
import { highlights, medianOf, type Point, varying } from "../points.js";
import { compactNumber, textWidth } from "./axes.js";
import { barLabels } from "./bar-labels.js";
import { draw, highlightsNote, type Section, wideChartWidth } from "./chart.js";
import { heatSteps } from "./heat-map.js";

/** Roles in the order in which a command meets them; what is not among them comes last. */
const roles = ["clients", "proposer", "acceptor", "learner"];
const processColumn = "process";

/** What part of a core each actor took. */
export function cpuSection(points: readonly Point[]): Section {
  const measured = points.filter(({ rows }) => rows.some(row => row.cpu !== null));
  const chosen = highlights(measured, reportLimits.bars);
  const base = {
    id: "cpu",
    title: "CPU of each actor",
    explanation:
      "Parts of one core, medians of the repeats; all client threads together are one column, which may exceed 100%. An actor near 100% bounds throughput. If none is, threads wait: for each other, for clients, or for cores, of which the process can have no more than the machine has.",
  };
  if (chosen.length === 0)
    return { ...base, charts: [], notes: ["Not measured: these files hold no CPU times."] };
  const { labels, marginLeft, barHeight } = barLabels(chosen, varying(points));
  const actors = actorsOf(chosen);
  const cells = chosen.flatMap((point, index) => cellsOf(point, labels[index]!, actors));
  const columns = [...actors, processColumn];
  const isTilted = columns.some(
    column => textWidth(column) + 6 > (wideChartWidth - marginLeft - 16) / columns.length,
  );
  const place = { x: "x", y: "y" } as const;
  const drawing = draw({
    title: "CPU of each actor",
    width: wideChartWidth,
    height: 30 + (isTilted ? 90 : 46) + barHeight * chosen.length,
    marginLeft,
    marginTop: isTilted ? 84 : 40,
    marginRight: 16,
    marginBottom: 12,
    padding: 0.06,
    x: {
      type: "band",
      domain: columns,
      label: null,
      axis: "top",
      tickRotate: isTilted ? -40 : 0,
      tickSize: 0,
    },
    y: { type: "band", domain: labels, label: null, tickSize: 0 },
    marks: [
      Plot.cell(cells, { ...place, fill: "fill", title: "title", className: "cells" }),
      Plot.text(cells, { ...place, text: "text", fill: "ink", pointerEvents: "none", className: "numbers" }),
    ],
  });
  return {
    ...base,
    charts: [{ title: "Parts of a core; of the process, cores", drawing, isWide: true }],
    notes: highlightsNote(chosen.length, measured.length),
  };
}

/** All actors of these points, by role and number. */
function actorsOf(points: readonly Point[]): string[] {
  const names = new Set(
    points.flatMap(({ rows }) => rows.flatMap(row => Object.keys(row.cpu?.actors ?? {}))),
  );
  const roleOf = (name: string) =>
    (roles.indexOf(name.replace(/-\d+$/, "")) + roles.length + 1) % (roles.length + 1);
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
