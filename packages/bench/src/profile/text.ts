import pc from "picocolors";
import type { ProfileReport, ThreadReport } from "./analyse.js";
import type { PairedRatio, StageCost } from "./stage-cost.js";

/** Lines of each thread on the terminal; the page has more. */
const linesShown = 3;

/** What a run has found, for a terminal: the sentence comes last. */
export function renderProfile(report: ProfileReport, cost: StageCost | undefined): string {
  return [
    loadLine(report),
    columns(threadRows(report.threads)),
    columns(stageRows(report)),
    costLine(cost),
    ...report.threads.map(hottestLines).filter(text => text !== ""),
    pc.bold(report.verdict.text),
  ].join("\n\n");
}

export function loadLine({ load, seconds }: ProfileReport): string {
  return (
    `${whole(load.commits / seconds)} commits/s under the profilers, in ${seconds.toFixed(1)} s; ` +
    `a call takes ${load.meanLatencyMs.toFixed(2)} ms, p50 ${load.latencyMs.p50.toFixed(2)}, p99 ${load.latencyMs.p99.toFixed(2)}`
  );
}

/** What it costs to time the stages, as measured in the same run. */
export function costLine(cost: StageCost | undefined): string {
  if (cost === undefined) return "What the time stamps cost was not measured: the run ended before.";
  const { rate, cpu, equalRate, equalCpu, rounds } = cost;
  return (
    `Time stamps on batches, with / without, ${rounds} rounds in turns: commits/s ${ratioText(rate)}, CPU time for each commit ` +
    `${ratioText(cpu)}. Two equal halves differ by ${ratioText(equalRate)} and ${ratioText(equalCpu)}.`
  );
}

/** With its quartiles. */
function ratioText({ ratio, from, to }: PairedRatio): string {
  return `${ratio.toFixed(3)} x (${from.toFixed(2)} to ${to.toFixed(2)})`;
}

function threadRows(threads: readonly ThreadReport[]): string[][] {
  const head = [
    "thread",
    "busy",
    "parked",
    "GC",
    "on a core",
    "waits for one",
    "wake-ups/s",
    "frames per wake-up",
  ];
  const rows = threads.map(thread => [
    thread.thread,
    percent(thread.busyShare),
    percent(thread.parkedShare),
    percent(thread.garbageShare),
    thread.onCoreShare === null ? "?" : percent(thread.onCoreShare),
    thread.withoutCoreShare === null ? "?" : percent(thread.withoutCoreShare),
    whole(thread.wakeUpsPerSecond),
    thread.framesPerWakeUp === null ? "" : thread.framesPerWakeUp.toFixed(1),
  ]);
  return [head, ...rows];
}

function stageRows({ stages }: ProfileReport): string[][] {
  const head = ["stage, ms", "mean", "p50", "p99", "in mailboxes", "at work"];
  const rows = stages.parts.map(part => [
    part.part,
    ...[part.meanMs, part.p50Ms, part.p99Ms, part.hopMeanMs, part.workMeanMs].map(milliseconds),
  ]);
  const { whole: all, samples } = stages;
  const last = [
    `all, of ${whole(samples)} batches`,
    ...[all.meanMs, all.p50Ms, all.p99Ms].map(milliseconds),
    "",
    "",
  ];
  return [head, ...rows, last];
}

function hottestLines({ thread, lines, allocations }: ThreadReport): string {
  const rows = lines
    .slice(0, linesShown)
    .map(
      ({ share, functionName, place }) => `  ${percent(share).padStart(6)}  ${called(functionName)} ${place}`,
    );
  const bytes = (allocations ?? [])
    .slice(0, linesShown)
    .map(
      ({ share, functionName, place }) =>
        `  ${percent(share).padStart(6)}  of what it allocates: ${called(functionName)} ${place}`,
    );
  if (rows.length + bytes.length === 0) return "";
  return [`${thread}, own time by line:`, ...rows, ...bytes].join("\n");
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0))) ?? [];
  return rows
    .map(row =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export const called = (name: string): string => (name === "" ? "(anonymous)" : `${name}()`);
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
export const whole = (value: number): string => Math.round(value).toLocaleString("en");
export const milliseconds = (ms: number): string => ms.toFixed(3);
