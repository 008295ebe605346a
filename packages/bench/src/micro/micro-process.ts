/*
 * One round of the micro-benchmarks, in a process of its own, which `run.ts` forks: how a process happens to compile
 * and place its code is part of the noise, and shows only between processes.
 */
import { Bench } from "tinybench";
import { kindsNamed } from "./kinds.js";
import type { MicroKind, MicroTask } from "./task.js";

/** What the process is told, as JSON in its first argument. */
export interface MicroRoundTask {
  readonly ids: readonly string[];
  /** Of each operation. */
  readonly milliseconds: number;
}

/** What it sends of each operation: the median of its samples, in milliseconds. */
export interface MicroRound {
  readonly id: string;
  readonly ms: number;
}

/** A sample that takes so long is long against the clock's steps. */
const sampleMs = 1;
const warmUpPart = 0.5;

/** Doubles what a sample does until it takes long enough. Compiling happens meanwhile. */
async function operationsPerSample(task: MicroTask, { operationsMax }: MicroKind): Promise<number> {
  for (let operations = 2; ; operations *= 2) {
    if (operations > operationsMax) return operationsMax;
    if ((await task.run(operations)) >= sampleMs) return operations;
  }
}

async function measure(kind: MicroKind, milliseconds: number): Promise<MicroRound> {
  const task = await kind.open();
  try {
    const until = performance.now() + milliseconds * warmUpPart;
    let operations = await operationsPerSample(task, kind);
    while (performance.now() < until) operations = await operationsPerSample(task, kind);
    const bench = new Bench({ time: milliseconds, iterations: 3, warmup: false, throws: true });
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
    return { id: kind.id, ms: result.latency.p50 };
  } finally {
    await task.close?.();
  }
}

const { ids, milliseconds } = JSON.parse(process.argv[2] ?? "{}") as MicroRoundTask;
for (const kind of kindsNamed(ids)) process.send?.(await measure(kind, milliseconds));
process.disconnect?.();
