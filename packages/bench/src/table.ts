import Table from "cli-table3";
import colors from "picocolors";
import type { Row } from "./report.js";

const heads = [
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

/** The main table. Per commit: messages, bytes. picocolors looks at NO_COLOR and the terminal. */
export function renderTable(rows: readonly Row[]): string {
  const table = new Table({
    head: heads.map(head => colors.bold(head)),
    colAligns: heads.map((_, column) => (column === 0 ? "left" : "right")),
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    table.push([
      colors.cyan(row.id),
      number(row.commitsPerSecond),
      `${row.commitsPerSecondSpread.toFixed(1)}%`,
      number(row.latencyMs.p50),
      number(row.latencyMs.p99),
      number(row.messagesPerCommit),
      number(row.bytesPerCommit),
      number(row.messageDelays),
      number(row.ratioToFirst),
      number(row.ratioToCeiling),
    ]);
  }
  return table.toString();
}

/** Three digits that matter, thousands apart; nothing for null. */
function number(value: number | null): string {
  if (value === null) return "";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
