import type { Chart, Section } from "./charts/chart.js";
import { comparisonSection } from "./charts/comparison.js";
import { cpuSection } from "./charts/cpu.js";
import { heatMapSection } from "./charts/heat-map.js";
import { latencySection } from "./charts/latency-throughput.js";
import { percentilesSection } from "./charts/percentiles.js";
import { stagesSection } from "./charts/stages.js";
import { throughputSection } from "./charts/throughput.js";
import { compareFiles } from "./compare.js";
import { Html, html } from "./html.js";
import { type LabelledFile, pointsOf } from "./points.js";
import { rowsTable } from "./rows-table.js";
import { factsTable } from "./run-facts.js";
import { pageStyle } from "./style.js";
import { warningsOf } from "./warnings.js";

/** A whole page that loads nothing and has no script. Two files are compared; all are drawn beside each other. */
export function renderPage(files: readonly LabelledFile[]): string {
  const points = pointsOf(files);
  const warnings = warningsOf(files, points);
  const sections = [
    ...comparisons(files, points),
    throughputSection(points),
    heatMapSection(points),
    latencySection(points),
    percentilesSection(points),
    stagesSection(points),
    cpuSection(points),
  ];
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Synod: report of a sweep</title><style>${new Html(pageStyle)}</style></head><body>
<header><h1>Synod: report of a sweep</h1>
${factsTable(files, points)}
${warningsList(warnings)}
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}<a href="#rows">All rows</a></nav></header>
<main>${sections.map(renderSection)}
<section id="rows"><h2>All rows</h2>${rowsTable(points)}</section></main>
</body></html>
`;
  return page.text;
}

function comparisons(files: readonly LabelledFile[], points: ReturnType<typeof pointsOf>): Section[] {
  const [first, second, ...others] = files;
  if (first === undefined || second === undefined || others.length > 0) return [];
  return [comparisonSection(compareFiles(first, second, points), [first, second])];
}

function warningsList(warnings: readonly string[]): Html {
  if (warnings.length === 0)
    return html`<p class="quiet">No warnings: the runs are complete, and the machine was quiet.</p>`;
  const items = warnings.map(text => html`<li>${text}</li>`);
  return html`<div class="warnings" role="note"><h2>Before you believe this</h2><ul>${items}</ul></div>`;
}

function renderSection({ id, title, explanation, charts, notes, table }: Section): Html {
  return html`<section id="${id}"><h2>${title}</h2><p>${explanation}</p>
${notes.map(note => html`<p class="note">${note}</p>`)}
<div class="charts">${charts.map(renderChart)}</div>${table ?? null}</section>
`;
}

function renderChart({ title, drawing, legend, note, isWide }: Chart): Html {
  return html`<figure class="${isWide === true ? "wide" : ""}"><figcaption>${title}</figcaption>${legend ?? null}
<div class="scroll">${drawing}</div>${note === undefined ? null : html`<p class="note">${note}</p>`}</figure>
`;
}
