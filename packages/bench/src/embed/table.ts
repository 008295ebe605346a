import { formatNumber, plainTable } from "../table.js";
import type { CatchUpRow, Longest } from "./catch-up.js";
import type { LatencyRow } from "./latency.js";
import type { Reads } from "./reads.js";
import type { EmbedRow } from "./row.js";
import type { StartUpRow } from "./start-up.js";

export function renderReads({ rows, committedPerSecond }: Reads): string {
  const table = plainTable(
    ["reads", "reads/s", "±", "p50 ms", "p99 ms", "x plain"],
    rows.map(row => [...cellsOf(row), formatNumber(row.ratioToPlain)]),
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

export function renderCatchUp(rows: readonly CatchUpRow[]): string {
  const rates = plainTable(
    ["joins from", "ms", "instances/s", "MB/s"],
    rows.map(row => [
      row.id,
      ...[row.durationMs, row.instancesPerSecond, row.megabytesPerSecond].map(formatNumber),
    ]),
  );
  const turns = plainTable(
    ["longest turn, median/worst", "ms", "on a core", "replica's own", "one collection", "of nothing"],
    rows.map(row => [
      row.id,
      ...[
        row.longestTurnMs,
        row.longestRanMs,
        row.longestSliceMs,
        row.longestCollectionMs,
        row.longestTurnOfNothingMs,
      ].map(formatLongest),
    ]),
  );
  return `${rates}\n\n${turns}`;
}

export function renderStartUp(rows: readonly StartUpRow[]): string {
  const heads = ["threads", "first commit ms", "whole process ms", "memory MB", "idle CPU %"];
  const lines = rows.map(row => [
    row.threads,
    ...[row.firstCommitMs, row.processMs, row.residentBytes / 1e6, row.idleCpuPercent].map(formatNumber),
  ]);
  return plainTable(heads, lines);
}

function formatLongest(longest: Longest | null): string {
  return longest === null
    ? formatNumber(null)
    : `${formatNumber(longest.median)} / ${formatNumber(longest.worst)}`;
}
