import { inOwnProcess } from "../own-process.js";
import { median } from "../results/statistics.js";
import { type ThreadsMode, threadsModes } from "./latency.js";
import type { StartUp } from "./start-up-process.js";

export interface StartUpOptions {
  /** Processes per mode. */
  readonly repeats: number;
  /** Each is left alone for so long, in milliseconds. */
  readonly idleMs: number;
}

/** Medians of processes that start one cluster of this mode each. */
export interface StartUpRow extends StartUp {
  readonly processes: readonly StartUp[];
}

const program = new URL("./start-up-process.js", import.meta.url);

/** How many steps {@link measureStartUp} will report. */
export const startUpSteps = ({ repeats }: Pick<StartUpOptions, "repeats">): number =>
  repeats * threadsModes.length;

/** Starts processes of all modes in turns. */
export async function measureStartUp(
  { repeats, idleMs }: StartUpOptions,
  onStep: (what: string) => void,
): Promise<StartUpRow[]> {
  const processes: StartUp[] = [];
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const threads of threadsModes) {
      processes.push(await inOwnProcess<StartUp>(program, [threads, String(idleMs)]));
      onStep(`${threads}: process ${repeat}`);
    }
  }
  return threadsModes.map(threads =>
    summary(
      threads,
      processes.filter(one => one.threads === threads),
    ),
  );
}

function summary(threads: ThreadsMode, processes: readonly StartUp[]): StartUpRow {
  const of = (name: Exclude<keyof StartUp, "threads">) => median(processes.map(one => one[name]))!;
  return {
    threads,
    firstCommitMs: of("firstCommitMs"),
    processMs: of("processMs"),
    residentBytes: of("residentBytes"),
    idleCpuPercent: of("idleCpuPercent"),
    processes,
  };
}
