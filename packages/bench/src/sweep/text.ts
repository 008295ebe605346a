import { inspect } from "node:util";
import { keyOf, type RowLine, type Settings } from "../results/format.js";
import { noiseOf } from "../results/statistics.js";
import { formatNumber, plainTable, renderNoise } from "../table.js";
import { batchSettings } from "./cluster-options.js";
import {
  type BestOfLoad,
  bestOfLoads,
  type Comparison,
  comparisonsOf,
  isDefault,
  meritOf,
} from "./verdict.js";

/** All settings that are not as usual, in a few words. */
export function nameOf(settings: Settings): string {
  const { batch, pipeline } = settings;
  return `${loadName(settings)}, ${isDefault(settings) ? "default" : `batch ${batch}, pipeline ${pipeline}`}`;
}

/** What a sweep has found, for people; `rows` of the grid and of the comparison. */
export function renderSweep(rows: readonly RowLine[]): string {
  const grid = rows.filter(({ stage }) => stage !== "final");
  if (grid.length === 0) return "nothing was measured";
  const parts = [renderBest(bestOfLoads(grid)), renderVerdict(comparisonsOf(rows))];
  const noise = noiseOf(meritsOfCells(grid));
  parts.push(noise === null ? "noise: not known, nothing was measured twice" : renderNoise(noise));
  const warned = rows.filter(({ warnings }) => warnings.length > 0);
  if (warned.length > 0) parts.push(renderWarnings(rows.length, warned));
  return parts.filter(part => part !== "").join("\n\n");
}

const heads = [
  "load",
  "best batch",
  "pipeline",
  "commits/s",
  "p50 ms",
  "p99 ms",
  "default commits/s",
  "p99 ms",
];

function renderBest(loads: readonly BestOfLoad[]): string {
  return plainTable(
    heads,
    loads.map(({ load, best, default: standard }) => [
      loadName(load),
      String(best.settings.batch),
      String(best.settings.pipeline),
      formatNumber(best.commitsPerSecond),
      formatNumber(best.p50Us / 1000),
      formatNumber(best.p99Us / 1000),
      formatNumber(standard?.commitsPerSecond ?? null),
      formatNumber(standard === null ? null : standard.p99Us / 1000),
    ]),
  );
}

/** The best setting against the default, with the setting to copy. */
function renderVerdict(comparisons: readonly Comparison[]): string {
  const [first] = comparisons;
  if (first === undefined) return "";
  const { batch, pipeline, payloadBytes } = first.best.settings;
  const lines = comparisons.map(comparison => `  ${loadName(comparison.load)}: ${relationOf(comparison)}`);
  const isBetter = comparisons.some(({ ratio }) => ratio.low > 1);
  const isWorse = comparisons.some(({ ratio }) => ratio.high < 1);
  const advice = !isBetter
    ? "Leave batch and pipeline at their defaults: no fixed setting was better by more than the noise. The best is"
    : isWorse
      ? "Better at some loads and worse at others: copy it only for the loads at which it is better"
      : "To copy";
  const options = inspect(batchSettings({ batch, pipeline }, payloadBytes), {
    breakLength: 100,
    colors: false,
  });
  return [
    `batch ${batch}, pipeline ${pipeline} against the default, in turns:`,
    ...lines,
    `${advice}:`,
    `  await Cluster.start({ ...options, ${options.slice(1, -1).trim()} });`,
  ].join("\n");
}

function relationOf({ load, ratio, best, default: standard }: Comparison): string {
  const isClosed = load.mode === "closed";
  const figures = isClosed
    ? `${formatNumber(best.commitsPerSecond)} against ${formatNumber(standard.commitsPerSecond)} commits/s`
    : `99th percentile ${formatNumber(best.p99Us / 1000)} against ${formatNumber(standard.p99Us / 1000)} ms`;
  // Of an open loop it is the latency that people know, of which less is better.
  const [middle, low, high] = isClosed
    ? [ratio.ratio, ratio.low, ratio.high]
    : [1 / ratio.ratio, 1 / ratio.high, 1 / ratio.low];
  const interval = `95% interval ${low.toFixed(2)} to ${high.toFixed(2)}, ${ratio.count} pairs`;
  const relation = isClosed ? `${middle.toFixed(2)} x` : `${middle.toFixed(2)} x as long`;
  return `${ratio.differs ? relation : "no difference"} (${figures}; ${interval})`;
}

function renderWarnings(measured: number, warned: readonly RowLine[]): string {
  const kinds = new Map<string, number>();
  for (const warning of warned.flatMap(({ warnings }) => warnings)) {
    // Figures differ from row to row.
    const kind = warning.replace(/\d([\d.,]*\d)?/g, "N");
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const lines = [...kinds].map(([kind, count]) => `  ${count} x ${kind}`);
  return [
    `warning: ${warned.length} of ${measured} rows have warnings; the file has them with their figures:`,
    ...lines,
  ].join("\n");
}

/** What the load is, and which of the other settings are not as usual. */
export function loadName(settings: Settings): string {
  const { mode, clients, ratePerSecond, payloadBytes, acceptors, learners, mailbox, threads } = settings;
  const words = [
    mode === "closed" ? counted(clients, "client") : `${formatNumber(ratePerSecond)} commands/s`,
  ];
  if (settings.clientThreads > 0) words.push(counted(settings.clientThreads, "client thread"));
  if (payloadBytes > 0) words.push(counted(payloadBytes, "byte"));
  if (acceptors !== 3) words.push(counted(acceptors, "acceptor"));
  if (learners !== 2) words.push(counted(learners, "learner"));
  if (mailbox !== "ring") words.push(mailbox);
  if (threads !== "isolated") words.push(threads);
  return words.join(", ");
}

function counted(count: number, thing: string): string {
  return `${formatNumber(count)} ${thing}${count === 1 ? "" : "s"}`;
}

function meritsOfCells(rows: readonly RowLine[]): number[][] {
  const cells = new Map<string, number[]>();
  for (const row of rows) {
    const key = keyOf(row.settings);
    cells.set(key, [...(cells.get(key) ?? []), meritOf(row)]);
  }
  return [...cells.values()];
}
