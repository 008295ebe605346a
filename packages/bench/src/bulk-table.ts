import type { BulkRow } from "./experiments/bulk.js";
import { formatNumber, formatRatio, plainTable } from "./table.js";

const heads = ["how", "commands/s", "±", "p50 ms", "p99 ms", "x first"];

/** A line per way to propose. */
export function renderBulk(rows: readonly BulkRow[]): string {
  const lines = rows.map(row => [
    row.id,
    formatNumber(row.commitsPerSecond),
    `${row.commitsPerSecondSpread.toFixed(1)}%`,
    formatNumber(row.latencyMs.p50),
    formatNumber(row.latencyMs.p99),
    formatRatio(row.ratioToFirst),
  ]);
  return plainTable(heads, lines);
}
