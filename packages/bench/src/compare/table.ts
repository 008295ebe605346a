import { formatNumber, plainTable } from "../table.js";
import { baseId, noiseId } from "./catalogue.js";
import type { Comparison, ComparisonRow, Range } from "./result.js";

/** From so many cores on, what else ran has changed the figures. */
const coresBesidesMax = 0.25;

/** A table per number of clients, what each subject guarantees, and how far all of it is to be trusted. */
export function renderComparison(comparison: Comparison): string {
  const numbers = [...new Set(comparison.rows.map(({ clients }) => clients))];
  const parts = numbers.map(clients =>
    renderRows(
      clients,
      comparison.rows.filter(row => row.clients === clients),
      comparison.subjects,
    ),
  );
  parts.push(renderGuarantees(comparison.subjects), renderTrust(comparison));
  if (comparison.skipped.length > 0) {
    parts.push(comparison.skipped.map(({ title, reason }) => `skipped ${title}: ${reason}`).join("\n"));
  }
  return parts.join("\n\n");
}

function renderRows(
  clients: number,
  rows: readonly ComparisonRow[],
  subjects: Comparison["subjects"],
): string {
  const heads = ["commits/s", "p50 ms", "p99 ms", "to Synod", "least to most", "cores"];
  return plainTable(
    [`${formatNumber(clients)} client${clients === 1 ? "" : "s"}`, ...heads],
    rows.map(row => [
      subjects.find(({ id }) => id === row.id)?.title ?? row.id,
      formatNumber(row.commitsPerSecond.median),
      formatNumber(row.p50Ms),
      formatNumber(row.p99Ms),
      ...(row.id === baseId ? ["", ""] : [times(row.ratioToSynod.median), span(row.ratioToSynod)]),
      row.cores?.toFixed(2) ?? "",
    ]),
  );
}

function renderGuarantees(subjects: Comparison["subjects"]): string {
  const shown = subjects.filter(({ id }) => id !== noiseId);
  return plainTable(
    ["as run here", "order by", "linearizable", "copies", "survives the end of", "durable"],
    shown.map(({ title, guarantees: { order, linearizable, copies, survives, durable } }) => [
      ...[title, order, linearizable, copies, survives, durable],
    ]),
  );
}

function renderTrust({ noise, coresBesides }: Comparison): string {
  const ratios = noise.map(({ clients, ratio }) => `${span(ratio)} at ${formatNumber(clients)}`);
  const lines = [`Noise: the same Synod in another process came to ${ratios.join(", ")} clients.`];
  if (coresBesides !== null && coresBesides > coresBesidesMax) {
    lines.push(
      `Warning: something else kept ${coresBesides.toFixed(2)} cores busy meanwhile. Trust the ratios little, and the rates not.`,
    );
  }
  return lines.join("\n");
}

function times(value: number): string {
  return `${formatNumber(value)} x`;
}

function span({ least, most }: Range): string {
  return `${formatNumber(least)}-${formatNumber(most)} x`;
}
