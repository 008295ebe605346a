import colors from "picocolors";
import { formatNumber, plainTable } from "../table.js";
import { throughputChart } from "./chart.js";
import { replayCommand } from "./options.js";
import { megabytes } from "./process-state.js";
import { type ChaosResult, type MemorySample, rateBetween, recoveryRows } from "./result.js";

/** Lines of the table of memory. */
const memoryLinesMax = 20;

/** A run for a person, from how it went to what it proves. */
export function renderReport(result: ChaosResult): string {
  const { timeline, faults, phases } = result;
  const parts = [throughputChart(timeline.commits, timeline.bucketMs, faults)];
  if (phases.length > 0) parts.push(renderPhases(result));
  if (faults.length > 0) parts.push(renderRecovery(result));
  if (result.options.commits !== undefined) parts.push(renderMemory(result.memory));
  parts.push(renderCounts(result), renderVerdict(result));
  return parts.join("\n\n");
}

function renderPhases({ phases, timeline }: ChaosResult): string {
  return plainTable(
    ["phase", "from s", "to s", "commits/s"],
    phases.map(({ name, fromMs, untilMs }) => [
      name,
      formatNumber(fromMs / 1000),
      formatNumber(untilMs / 1000),
      formatNumber(rateBetween(timeline.commits, fromMs, untilMs)),
    ]),
  );
}

/** Recovery: from the fault until something was answered that was called after it. */
function renderRecovery({ faults, options: { leaseMs } }: ChaosResult): string {
  const leases = (ms: number | undefined) => (ms === undefined ? "" : (ms / leaseMs).toFixed(2));
  const whole = (ms: number | undefined) => (ms === undefined ? "" : ms.toFixed(0));
  const table = plainTable(
    [
      "recovery from",
      "times",
      "first: p50 ms",
      "max ms",
      "p50 leases",
      "max",
      "every client: p50 ms",
      "max ms",
    ],
    recoveryRows(faults).map(({ kind, faults: times, firstMs, everyMs }) => [
      kind,
      String(times),
      whole(firstMs?.p50),
      whole(firstMs?.max),
      leases(firstMs?.p50),
      leases(firstMs?.max),
      whole(everyMs?.p50),
      whole(everyMs?.max),
    ]),
  );
  return `${table}\n(until an operation was answered that was called after the fault; a lease is ${leaseMs} ms)`;
}

function renderMemory(samples: readonly MemorySample[]): string {
  const step = Math.max(1, Math.ceil(samples.length / memoryLinesMax));
  const shown = samples.filter((_, index) => index % step === 0 || index === samples.length - 1);
  return plainTable(
    ["s", "commits", "rss MB", "heap MB", "external MB", "array buffers MB"],
    shown.map(({ atMs, commits, rss, heap, external, arrayBuffers }) => [
      (atMs / 1000).toFixed(0),
      formatNumber(commits),
      ...[rss, heap, external, arrayBuffers].map(megabytes),
    ]),
  );
}

function renderCounts(result: ChaosResult): string {
  const { counted, checked, errors, before, after, options, durationMs } = result;
  const failures = Object.entries(errors).map(([code, count]) => `${code} ${formatNumber(count)}`);
  const threads = after.threads === null ? "" : `threads ${before.threads} -> ${after.threads}, `;
  const memory = `heap ${megabytes(before.memory.heap)} -> ${megabytes(after.memory.heap)} MB, rss ${megabytes(before.memory.rss)} -> ${megabytes(after.memory.rss)} MB`;
  return [
    `seed ${options.seed}, ${(durationMs / 1000).toFixed(1)} s, ${result.faults.length} faults`,
    `counted    ${formatNumber(counted.called)} increments, acknowledged ${formatNumber(counted.acknowledged)}, not applied ${formatNumber(counted.notApplied)}, unknown ${formatNumber(counted.unknown)}`,
    `checked    ${formatNumber(checked.operations)} operations in ${formatNumber(checked.histories)} histories, without an answer ${formatNumber(checked.unanswered)}`,
    `failures   ${failures.length === 0 ? "none" : failures.join(", ")}`,
    `process    ${threads}${memory}; lost wake-ups ${result.lostWakeUps}`,
    `lost ${counted.lost}, duplicated ${counted.duplicated}, unsettled ${result.unsettled}, non-linearizable ${checked.notLinearizable}, undecided ${checked.undecided}`,
  ].join("\n");
}

function renderVerdict({ violations, options, interrupted }: ChaosResult): string {
  const ended = interrupted ? "interrupted; " : "";
  if (violations.length === 0) return colors.green(`${ended}nothing was broken`);
  return [
    colors.red(`${ended}${violations.length} ${violations.length === 1 ? "violation" : "violations"}:`),
    ...violations.map(text => `- ${text.replaceAll("\n", "\n  ")}`),
    "",
    "the same faults at the same times:",
    replayCommand(options),
  ].join("\n");
}
