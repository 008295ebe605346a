import type { Footprint, FootprintTask } from "../footprint-process.js";
import type { OnStep } from "../measure.js";
import { type ThreadsMode, threadsModes } from "../options.js";
import { inOwnProcess } from "../own-process.js";
import { median } from "../results/statistics.js";
import { formatNumber, plainTable } from "../table.js";

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

function inProcess(task: FootprintTask): Promise<Footprint> {
  return inOwnProcess(new URL("../footprint-process.js", import.meta.url), [JSON.stringify(task)]);
}

export function renderFootprint(rows: readonly FootprintRow[]): string {
  const whole = (value: number) => formatNumber(Math.round(value));
  return plainTable(
    ["threads", "started", "memory MB", "idle CPU %", "start to commit ms", "p50 us", "p99 us"],
    rows.map(({ mode, threads, rssBytes, idlePercent, startMs, latencyMs }) => [
      mode,
      formatNumber(threads),
      whole(rssBytes / 1024 / 1024),
      idlePercent?.toFixed(2) ?? "",
      whole(startMs),
      ...(latencyMs === null ? ["", ""] : [latencyMs.p50, latencyMs.p99].map(ms => whole(ms * 1000))),
    ]),
  );
}
