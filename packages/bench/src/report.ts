import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import type { Measurement } from "./measure.js";
import type { BenchOptions } from "./options.js";
import { ratio } from "./statistics.js";
import type { TracedRun } from "./traced-run.js";

/** One row; null where there is nothing to count. */
export interface Row {
  readonly id: string;
  readonly commitsPerSecond: number;
  /** Half the width of the 95% confidence interval, in percent. */
  readonly commitsPerSecondSpread: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly messagesPerCommit: number | null;
  readonly bytesPerCommit: number | null;
  readonly messageDelays: number | null;
  readonly messageDelaysAllLearners: number | null;
  readonly commandsPerAccept: number | null;
  readonly wakeUpsPerCommit: number | null;
  readonly maintenancePerCommit: number | null;
  readonly ratioToFirst: number | null;
  readonly ratioToCeiling: number | null;
  /** The short traced run. */
  readonly oneClient: TracedRun;
  /** Commits per second. */
  readonly samples: readonly number[];
}

export interface Report {
  readonly machine: Readonly<Record<"cpu" | "platform", string> & Record<"cores" | "memoryBytes", number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly options: BenchOptions;
  readonly rows: readonly Row[];
}

export function reportOf(measurements: readonly Measurement[], options: BenchOptions): Report {
  return { machine: machine(), versions: versions(), options, rows: rowsOf(measurements) };
}

/** Puts rows in relation to the first one and to the ceiling, if that was measured. */
function rowsOf(measurements: readonly Measurement[]): Row[] {
  const first = measurements[0]?.commitsPerSecond;
  const ceiling = measurements.find(({ id }) => id === "ceiling")?.commitsPerSecond;
  return measurements.map(({ commits, counts, traced, ...measured }) => {
    const perCommit = (count: number | undefined) => (count === undefined ? null : ratio(count, commits));
    const copies = counts && ratio(commits * counts.acceptors, counts.acceptFrames);
    return {
      id: measured.id,
      commitsPerSecond: measured.commitsPerSecond,
      commitsPerSecondSpread: measured.commitsPerSecondSpread,
      latencyMs: measured.latencyMs,
      messagesPerCommit: perCommit(counts?.frames),
      bytesPerCommit: perCommit(counts?.bytes),
      messageDelays: traced.messageDelays,
      messageDelaysAllLearners: traced.messageDelaysAllLearners,
      commandsPerAccept: copies ?? null,
      wakeUpsPerCommit: perCommit(counts?.wakeUps),
      maintenancePerCommit: perCommit(counts?.maintenanceFrames),
      ratioToFirst: ratio(measured.commitsPerSecond, first),
      ratioToCeiling: ratio(measured.commitsPerSecond, ceiling),
      oneClient: traced,
      samples: measured.samples,
    };
  });
}

function machine(): Report["machine"] {
  const all = cpus();
  const platform = `${process.platform} ${process.arch}`;
  return { cpu: all[0]?.model ?? "unknown", cores: all.length, memoryBytes: totalmem(), platform };
}

function versions(): Record<string, string> {
  const here = createRequire(import.meta.url);
  const runtime = createRequire(here.resolve("@synod/runtime/package.json"));
  return {
    node: process.versions.node,
    synod: versionIn(here.resolve("@synod/runtime/package.json")),
    tinybench: versionOf(here, "tinybench"),
    msgpackr: versionOf(runtime, "msgpackr"),
  };
}

/** A package need not export its package.json, but it lies in a folder of the package's name. */
function versionOf(from: NodeJS.Require, name: string): string {
  const folder = from.resolve.paths(name)?.map(path => `${path}/${name}/package.json`) ?? [];
  for (const path of folder) {
    try {
      return versionIn(path);
    } catch {
      // Not here: further up.
    }
  }
  return "unknown";
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
