import Table from "cli-table3";
import colors from "picocolors";
import type { Comparison, Row } from "./report.js";
import type { Noise } from "./results/statistics.js";

/** Columns are set apart by their alignment alone, which leaves 100 of them for what was measured. */
const noLines = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", right: "", "right-mid": "" },
  ...{ mid: "", "mid-mid": "", middle: "  " },
};

/** A table whose first column is of names and whose others are of numbers. picocolors looks at NO_COLOR and the terminal. */
export function plainTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: noLines,
    head: heads.map(head => colors.bold(head)),
    colAligns: heads.map((_, column) => (column === 0 ? "left" : "right")),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const [name = "", ...cells] of rows) table.push([colors.cyan(name), ...cells]);
  return table
    .toString()
    .split("\n")
    .map(line => line.trimEnd())
    .join("\n");
}

const rowHeads = [
  "row",
  "commits/s",
  "±",
  "p50 ms",
  "p99 ms",
  "msgs",
  "bytes",
  "delays",
  "x first",
  "x ceiling",
];

/** The main table. Per commit: messages, bytes; delays of the answering learner and, where it differs, of all. */
export function renderTable(rows: readonly Row[]): string {
  return plainTable(
    rowHeads,
    rows.map(row => [
      row.id,
      formatNumber(row.commitsPerSecond),
      `${row.commitsPerSecondSpread.toFixed(1)}%`,
      formatNumber(row.latencyMs.p50),
      formatNumber(row.latencyMs.p99),
      formatNumber(row.messagesPerCommit),
      formatNumber(row.bytesPerCommit),
      formatDelays(row),
      formatNumber(row.ratioToFirst),
      formatNumber(row.ratioToCeiling),
    ]),
  );
}

const comparisonHeads = ["", "payload", "clients", "commits/s", "against", "gain", "msgs", "bytes"];

/** What each variant changes in the row that it is a variant of; nothing when there is none. */
export function renderComparisons(comparisons: readonly Comparison[]): string {
  const bases = [...new Set(comparisons.map(({ variantOf }) => variantOf))];
  const tables = bases.map(base => {
    const [, ...heads] = comparisonHeads;
    const compared = comparisons.filter(({ variantOf }) => variantOf === base);
    return plainTable(
      [`against ${base}`, ...heads],
      compared.map(comparison => [
        comparison.id,
        formatNumber(comparison.payload),
        formatNumber(comparison.clients),
        formatNumber(comparison.commitsPerSecond),
        formatNumber(comparison.commitsPerSecondOfBase),
        formatGain(comparison),
        formatRatio(comparison.messagesRatio),
        formatRatio(comparison.bytesRatio),
      ]),
    );
  });
  return tables.join("\n\n");
}

/** The ratio with its spread, where samples tell the two apart at all. */
function formatGain({ differs, ratio, ratioSpread }: Pick<Comparison, "differs" | "ratio" | "ratioSpread">) {
  return differs ? `${formatRatio(ratio)} ±${ratioSpread.toFixed(0)}%` : "no difference";
}

/** How much to believe of a ratio, in a sentence. */
export function renderNoise({ typicalPercent, largePercent }: Noise): string {
  const [typical, large] = [typicalPercent, largePercent].map(percent => `${percent.toFixed(1)}%`);
  return `noise: measured twice, a row differs from itself by ${typical} as a rule, by ${large} where it differs much`;
}

export function formatRatio(value: number | null): string {
  return value === null ? "" : `${value.toFixed(2)} x`;
}

function formatDelays({ messageDelays, messageDelaysAllLearners }: Row): string {
  const own = formatNumber(messageDelays);
  const all = formatNumber(messageDelaysAllLearners);
  return own === all ? own : `${own} / ${all}`;
}

/** Three digits that matter, thousands apart; nothing for null. */
export function formatNumber(value: number | null): string {
  if (value === null) return "";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
