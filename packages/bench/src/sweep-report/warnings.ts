import { reportLimits } from "./limits.js";
import { groupBy, type LabelledFile, type Point } from "./points.js";
import { noiseOfPoints } from "./run-facts.js";

/** Reasons to doubt the page, in sentences; none for a complete run on a quiet machine. */
export function warningsOf(files: readonly LabelledFile[], points: readonly Point[]): string[] {
  return files.flatMap(({ label, results }) => {
    const own = points.filter(point => point.file === label);
    const found = [
      ...results.warnings,
      ...runWarnings(results),
      ...rowWarnings(results),
      ...noiseWarnings(own),
    ];
    return found.map(text => (label === "" ? text : `${label}: ${text}`));
  });
}

function runWarnings({ runs, rows, end }: LabelledFile["results"]): string[] {
  const warnings: string[] = [];
  if (end === null)
    warnings.push("The run did not come to its end: some settings are missing, or have fewer repeats.");
  else if (end.rows !== rows.length) {
    warnings.push(
      `The run says that it has ${end.rows} rows; there are ${rows.length}. Somebody has edited the file.`,
    );
  }
  const machines = new Set(runs.map(({ host }) => `${host.cpuModel}, ${host.cores} cores`));
  if (machines.size > 1) warnings.push(`Resumed on another machine: ${[...machines].join("; ")}.`);
  const versions = new Set(
    runs.map(({ versions }) => `Node.js ${versions.node} with Synod ${versions.synod}`),
  );
  if (versions.size > 1) warnings.push(`Resumed with other versions: ${[...versions].join("; ")}.`);
  return warnings;
}

/** Warnings that differ in nothing but their figures are told once. */
function rowWarnings({ rows }: LabelledFile["results"]): string[] {
  const all = rows.flatMap(row => row.warnings);
  const alike = [...groupBy(all, text => text.replace(/\d+(\.\d+)?/g, "#")).values()];
  const told = alike.slice(0, reportLimits.warnings).map(texts => {
    const figures = new Set(texts).size > 1 ? ", with other figures" : "";
    return `${texts[0]} (in ${texts.length} of ${rows.length} rows${figures})`;
  });
  const more = alike.length - told.length;
  return more > 0 ? [...told, `${more} other kinds of warnings: see the table.`] : told;
}

function noiseWarnings(points: readonly Point[]): string[] {
  const noise = noiseOfPoints(points);
  if (noise === null) return ["Nothing was measured twice: nobody can tell a difference from noise."];
  if (noise.typicalPercent < reportLimits.noisePercent) return [];
  return [
    `Rows of the same settings differ by ${Math.round(noise.typicalPercent)}% in the middle: smaller differences say nothing.`,
  ];
}
