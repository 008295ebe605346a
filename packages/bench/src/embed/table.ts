import { formatNumber, formatRatio, plainTable } from "../table.js";
import type { LatencyRow } from "./latency.js";
import type { Reads } from "./reads.js";
import type { EmbedRow } from "./row.js";

export function renderReads({ rows, committedPerSecond }: Reads): string {
  const table = plainTable(
    ["reads", "reads/s", "±", "p50 ms", "p99 ms", "x plain"],
    rows.map(row => [...cellsOf(row), formatRatio(row.ratioToPlain)]),
  );
  return `${table}\ncommits beside: ${formatNumber(committedPerSecond)} a second`;
}

export function renderLatency(rows: readonly LatencyRow[]): string {
  return plainTable(["a client elsewhere", "commits/s", "±", "p50 ms", "p99 ms"], rows.map(cellsOf));
}

function cellsOf({ id, perSecond, perSecondSpread, latencyMs }: EmbedRow): string[] {
  return [
    id,
    formatNumber(perSecond),
    `${perSecondSpread.toFixed(1)}%`,
    formatNumber(latencyMs?.p50 ?? null),
    formatNumber(latencyMs?.p99 ?? null),
  ];
}
