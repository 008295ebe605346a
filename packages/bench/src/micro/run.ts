import { fork } from "node:child_process";
import { once } from "node:events";
import type { OnStep } from "../measure.js";
import { type Estimate, estimateOfRounds } from "../results/statistics.js";
import { kindsNamed } from "./kinds.js";
import type { MicroRound, MicroRoundTask } from "./micro-process.js";

const microRounds = 5;

export interface MicroOptions {
  /** Operations, or groups of them; all by default. */
  readonly only?: readonly string[];
  /** Seconds measured per operation, over all rounds. */
  readonly seconds: number;
}

/** What one operation takes. */
export interface MicroFigure {
  readonly id: string;
  readonly operation: string;
  /** Of one operation: the mean over the rounds. */
  readonly nanoseconds: number;
  /** Half the width of the 95% confidence interval over the rounds, in percent of the mean. */
  readonly spread: number;
  /** Each round's lower quartile, in nanoseconds. */
  readonly rounds: readonly number[];
}

/** Measures in rounds, each in a process of its own and of all operations: drift of the machine hits all alike. */
export async function measureMicro(options: MicroOptions, onStep: OnStep): Promise<MicroFigure[]> {
  const kinds = kindsNamed(options.only);
  const ids = kinds.map(({ id }) => id);
  const milliseconds = (options.seconds * 1000) / microRounds;
  const rounds = new Map(ids.map(id => [id, [] as number[]]));
  let done = 0;
  for (let round = 1; round <= microRounds; round++) {
    await inProcess({ ids, milliseconds }, ({ id, ms }) => {
      rounds.get(id)?.push(ms * 1e6);
      onStep(++done, ids.length * microRounds, `${id}, round ${round}`);
    });
  }
  return kinds.map(({ id, operation }) => {
    const own = rounds.get(id) ?? [];
    const { mean, spread }: Estimate = estimateOfRounds(own);
    return { id, operation, nanoseconds: mean, spread, rounds: own };
  });
}

async function inProcess(task: MicroRoundTask, onRound: (found: MicroRound) => void): Promise<void> {
  const child = fork(new URL("./micro-process.js", import.meta.url), [JSON.stringify(task)]);
  let found = 0;
  child.on("message", message => {
    found++;
    onRound(message as MicroRound);
  });
  const [code] = await once(child, "exit");
  if (code === 0 && found === task.ids.length) return;
  throw new Error(`a round ended with ${code}, after ${found} of ${task.ids.length} operations`);
}
