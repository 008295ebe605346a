import type { AdaptiveRow, Finalist } from "./experiments/adaptive.js";
import { nameOf } from "./fixed-settings.js";
import { formatNumber, formatRatio, plainTable } from "./table.js";

const heads = ["clients", "setting", "commits/s", "±", "p50 ms", "p99 ms", "cmds/Accept", "adaptive / fixed"];

/** Per number of clients the default cluster and, below it, the best fixed setting. */
export function renderAdaptive(rows: readonly AdaptiveRow[]): string {
  const lines = rows.flatMap(row => [
    cellsOf(formatNumber(row.clients), row.adaptive, ""),
    cellsOf("", row.fixed[0], `${formatRatio(row.ratio)} ±${row.ratioSpread.toFixed(1)}%`),
  ]);
  return plainTable(heads, lines);
}

function cellsOf(clients: string, measured: Finalist, related: string): string[] {
  return [
    clients,
    nameOf(measured.setting),
    formatNumber(measured.commitsPerSecond),
    `${measured.commitsPerSecondSpread.toFixed(1)}%`,
    formatNumber(measured.latencyMs.p50),
    formatNumber(measured.latencyMs.p99),
    formatNumber(measured.commandsPerAccept),
    related,
  ];
}
