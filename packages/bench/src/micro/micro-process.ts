/*
 * One round of the micro-benchmarks, in a process of its own, which `run.ts` forks: how a process happens to compile
 * and place its code is part of the noise, and shows only between processes.
 */
import { Bench } from "tinybench";
import { cpuMsOf } from "../compare/cpu.js";
import { lowerQuartile } from "../results/statistics.js";
import { kindsNamed } from "./kinds.js";
import type { MicroKind, MicroTask } from "./task.js";

/** What the process is told, as JSON in its first argument. */
export interface MicroRoundTask {
  readonly ids: readonly string[];
  /** Of each operation. */
  readonly milliseconds: number;
}

/** What it sends of each operation: the lower quartile of its samples, in milliseconds. */
export interface MicroRound {
  readonly id: string;
  readonly ms: number;
}

/** A sample that takes so long is long against the clock's steps. */
const sampleMs = 1;
const warmUpPart = 0.5;
/** Compiling takes CPU time. On a busy machine it is given this many times as long to come by it. */
const warmUpPatience = 4;

/** Doubles what a sample does until it takes long enough. Compiling happens meanwhile. */
async function operationsPerSample(task: MicroTask, { operationsMax }: MicroKind): Promise<number> {
  for (let operations = 2; ; operations *= 2) {
    if (operations > operationsMax) return operationsMax;
    if ((await task.run(operations)) >= sampleMs) return operations;
  }
}

/** Returns how many operations a sample takes. */
async function warmUp(task: MicroTask, kind: MicroKind, milliseconds: number): Promise<number> {
  const from = { at: performance.now(), cpu: cpuMsOf([]) ?? 0 };
  for (;;) {
    const operations = await operationsPerSample(task, kind);
    if ((cpuMsOf([]) ?? 0) - from.cpu >= milliseconds) return operations;
    if (performance.now() - from.at >= warmUpPatience * milliseconds) return operations;
  }
}

async function measure(kind: MicroKind, milliseconds: number): Promise<MicroRound> {
  const task = await kind.open();
  try {
    const operations = await warmUp(task, kind, milliseconds * warmUpPart);
    const bench = new Bench({
      time: milliseconds,
      iterations: 3,
      warmup: false,
      retainSamples: true,
      throws: true,
    });
    bench.add(
      kind.id,
      async () => {
        const from = performance.now();
        const tookMs = await task.run(operations);
        return {
          overriddenDuration: tookMs / operations,
          overriddenIterationCost: performance.now() - from,
        };
      },
      { async: true },
    );
    const [measured] = await bench.run();
    const result = measured?.result;
    if (result?.state !== "completed") throw new Error(`${kind.id} ended as ${result?.state}`);
    return { id: kind.id, ms: lowerQuartile(result.latency.samples ?? []) };
  } finally {
    await task.close?.();
  }
}

const { ids, milliseconds } = JSON.parse(process.argv[2] ?? "{}") as MicroRoundTask;
for (const kind of kindsNamed(ids)) process.send?.(await measure(kind, milliseconds));
process.disconnect?.();
