import type { Histogram } from "hdr-histogram-js";
import { Bench, type Task } from "tinybench";
import { type Latencies, type Load, latenciesOf, latencyHistogram } from "./load.js";
import type { Estimate } from "./results/statistics.js";

/** Samples of each load; each is followed by one of every other load, so that drift of the machine hits all alike. */
export const samplesPerLoad = 8;
export const warmUpSamples = 1;

/** A load that is measured beside others, by a name of its own. */
export interface SampledLoad {
  readonly id: string;
  readonly load: Load;
}

/** What was measured of one load. */
export interface Sampled {
  /** Commits per second, by sample. */
  readonly samples: readonly number[];
  readonly commitsPerSecond: number;
  /** Half the width of the 95% confidence interval, in percent of the mean, as tinybench computes it. */
  readonly commitsPerSecondSpread: number;
  readonly latencyMs: Latencies;
}

export function estimateOf(sampled: Pick<Sampled, "commitsPerSecond" | "commitsPerSecondSpread">): Estimate {
  return { mean: sampled.commitsPerSecond, spread: sampled.commitsPerSecondSpread };
}

/**
 * Samples the loads in turns, `seconds` of each in all. tinybench runs all tasks at once; a task that holds the turn
 * samples, and the others wait for theirs.
 */
export async function sampleInTurns(
  loads: readonly SampledLoad[],
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
  onSample: (what: string) => void,
): Promise<Map<string, Sampled>> {
  const bench = new Bench({
    concurrency: "bench",
    iterations: samplesPerLoad,
    time: 0,
    warmup: true,
    warmupIterations: warmUpSamples,
    warmupTime: 0,
    retainSamples: true,
    throws: true,
  });
  const sliceMs = (seconds * 1000) / samplesPerLoad;
  const histograms = new Map<string, Histogram>();
  let turn: Promise<void> = Promise.resolve();
  for (const { id, load } of loads) {
    const histogram = latencyHistogram();
    histograms.set(id, histogram);
    let isWarm = false;
    let endTurn = (): void => {};
    const sample = async () => {
      const startedAt = performance.now();
      const { commits, durationMs } = await load.slice(clients, sliceMs, isWarm ? histogram : undefined);
      const overriddenIterationCost = performance.now() - startedAt;
      return { overriddenDuration: durationMs / commits, overriddenIterationCost };
    };
    bench.add(id, sample, {
      async: true,
      beforeAll: mode => {
        isWarm = mode === "run";
      },
      beforeEach: () => {
        const before = turn;
        turn = new Promise(resolve => {
          endTurn = resolve;
        });
        return before;
      },
      afterEach: () => {
        onSample(`${id}: ${isWarm ? "sample" : "warm-up"}`);
        endTurn();
      },
    });
  }
  const tasks = await bench.run();
  return new Map(tasks.map(task => [task.name, read(task, histograms.get(task.name)!)]));
}

function read({ name, result }: Task, histogram: Histogram): Sampled {
  if (result.state !== "completed") throw new Error(`${name} ended as ${result.state}`);
  const { throughput, latency } = result;
  return {
    samples: (latency.samples ?? []).map(ms => 1000 / ms),
    commitsPerSecond: throughput.mean,
    commitsPerSecondSpread: throughput.rme,
    latencyMs: latenciesOf(histogram),
  };
}
