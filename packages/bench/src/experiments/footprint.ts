import { fork } from "node:child_process";
import { once } from "node:events";
import Table from "cli-table3";
import type { Footprint, FootprintTask } from "../footprint-process.js";
import type { OnStep } from "../measure.js";
import { type ThreadsMode, threadsModes } from "../options.js";
import { median } from "../results/statistics.js";

export interface FootprintOptions {
  /** How long each cluster is left alone, in seconds. */
  readonly seconds: number;
  /** Only this way to share threads; all of them when left out. */
  readonly threads?: ThreadsMode;
  /** Where the JSON result goes. */
  readonly json?: string;
}

/** What a cluster takes when nothing is asked of it, and how fast it is then. */
export interface FootprintRow extends Footprint {
  readonly mode: ThreadsMode;
  /** All that were measured, in milliseconds; `startMs` is their median. */
  readonly startsMs: readonly number[];
}

/** Starts differ by what else the machine does. */
const starts = 5;
const commands = 5000;

/** Measures the default cluster for each way to share threads, each time in a process of its own. */
export async function measureFootprint(options: FootprintOptions, onStep: OnStep): Promise<FootprintRow[]> {
  const modes = options.threads === undefined ? threadsModes : [options.threads];
  const rows: FootprintRow[] = [];
  let done = 0;
  for (const mode of modes) {
    const startsMs: number[] = [];
    for (let start = 1; start < starts; start++) {
      const { startMs } = await inProcess({ threads: mode, idleSeconds: 0, commands: 0 });
      startsMs.push(startMs);
      onStep(++done, modes.length * starts, `${mode}, start ${start}`);
    }
    const found = await inProcess({ threads: mode, idleSeconds: options.seconds, commands });
    startsMs.push(found.startMs);
    onStep(++done, modes.length * starts, `${mode}, idle`);
    rows.push({ ...found, mode, startsMs, startMs: median(startsMs) ?? found.startMs });
  }
  return rows;
}

async function inProcess(task: FootprintTask): Promise<Footprint> {
  const child = fork(new URL("../footprint-process.js", import.meta.url), [JSON.stringify(task)]);
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`a process with a cluster, ${task.threads}, ended with ${code} and without a result`);
  });
  gone.catch(() => undefined);
  const [footprint] = (await Promise.race([once(child, "message"), gone])) as [Footprint];
  await gone.catch(() => undefined);
  return footprint;
}

export function renderFootprint(rows: readonly FootprintRow[]): string {
  const table = new Table({
    head: ["threads", "started", "memory MB", "idle CPU %", "start to commit ms", "p50 us", "p99 us"],
    style: { head: [], border: [], compact: true },
  });
  const whole = (value: number | undefined) => (value === undefined ? "" : Math.round(value));
  for (const { mode, threads, rssBytes, idlePercent, startMs, latencyMs } of rows) {
    table.push([
      mode,
      threads ?? "",
      whole(rssBytes / 1024 / 1024),
      idlePercent?.toFixed(2) ?? "",
      whole(startMs),
      whole(latencyMs === null ? undefined : latencyMs.p50 * 1000),
      whole(latencyMs === null ? undefined : latencyMs.p99 * 1000),
    ]);
  }
  return table.toString();
}
