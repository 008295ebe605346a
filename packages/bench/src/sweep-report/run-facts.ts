import { basename } from "node:path";
import { type Noise, noiseOf } from "../results/statistics.js";
import { formatNumber } from "../table.js";
import { textOf } from "./dimensions.js";
import { type Html, html } from "./html.js";
import { fastest, type LabelledFile, labelOf, type Point, varying } from "./points.js";

/** What a sceptic asks first, a column for each file. */
export function factsTable(files: readonly LabelledFile[], points: readonly Point[]): Html {
  const columns = files.map(file =>
    factsOf(
      file,
      points.filter(point => point.file === file.label),
    ),
  );
  const names = [...columns[0]!.keys()];
  const heads =
    files.length > 1
      ? html`<thead><tr><td></td>${files.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>`
      : null;
  const lines = names.map(
    name =>
      html`<tr><th scope="row">${name}</th>${columns.map(facts => html`<td>${facts.get(name) ?? null}</td>`)}</tr>`,
  );
  return html`<div class="scroll"><table class="facts">${heads}<tbody>${lines}</tbody></table></div>`;
}

function factsOf({ results }: LabelledFile, points: readonly Point[]): Map<string, string | Html> {
  const { runs, rows, end } = results;
  const { host, versions, options, startedAt, loadAverage } = runs[0]!;
  const resumed = runs.length > 1 ? `, resumed ${runs.length - 1} times` : "";
  const limit =
    host.containerCpus === null ? "" : `, limited to ${formatNumber(host.containerCpus)} by its container`;
  const loads = [loadAverage[0], ...rows.map(row => row.loadAverage[0])];
  const seconds = rows.map(row => row.seconds);
  return new Map<string, string | Html>([
    ["file", basename(results.file)],
    ["measured", `${startedAt}${resumed}${end === null ? ", not complete" : `, complete at ${end.at}`}`],
    [
      "machine",
      `${host.cpuModel}, ${host.cores} cores${limit}, ${formatNumber(host.memoryBytes / 2 ** 30)} GiB`,
    ],
    ["system", `${host.platform} ${host.release}, ${host.arch}`],
    [
      "versions",
      `Node.js ${versions.node}, V8 ${versions.v8}, Synod ${versions.synod}${versions.git === null ? "" : ` (${versions.git})`}`,
    ],
    ["options", optionsList(options)],
    ["rows", `${textOf(rows.length)} of ${textOf(points.length)} settings, ${range(seconds)} s each`],
    ["noise", noiseText(noiseOfPoints(points))],
    ["load average", `${range(loads)} in the minute before each row`],
    ["most commits/s", fastestText(points)],
  ]);
}

function optionsList(options: Readonly<Record<string, unknown>>): Html {
  const words = Object.entries(options).map(([name, value]) => {
    const text = Array.isArray(value)
      ? value.join(", ")
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
    return html`<span class="option">${name} <b>${text}</b></span> `;
  });
  return html`${words}`;
}

/** How far rows of the same settings are apart. */
export function noiseOfPoints(points: readonly Point[]): Noise | null {
  return noiseOf(points.map(({ rows }) => rows.map(row => row.commitsPerSecond)));
}

function noiseText(noise: Noise | null): string {
  if (noise === null) return "not known: nothing was measured twice";
  const { typicalPercent, largePercent, pairs } = noise;
  return `two rows of the same settings differ by ${formatNumber(typicalPercent)}% in the middle and ${formatNumber(largePercent)}% at the 90th percentile (${textOf(pairs)} pairs)`;
}

function fastestText(points: readonly Point[]): string {
  const [point] = fastest(points, 1, ({ commitsPerSecond }) => commitsPerSecond);
  if (point === undefined) return "";
  const label = labelOf(point, varying(points));
  return `${textOf(Math.round(point.commitsPerSecond))}${label === "" ? "" : ` with ${label}`}`;
}

function range(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map(value => formatNumber(value));
  return low === high ? `${low}` : `${low} to ${high}`;
}
