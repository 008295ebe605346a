import type { Histogram } from "hdr-histogram-js";
import { Bench, type Task } from "tinybench";
import { type Latencies, type Load, latenciesOf, latencyHistogram } from "./load.js";
import type { Estimate } from "./results/statistics.js";

/** Samples of each load; each is followed by one of every other load, so that drift of the machine hits all alike. */
export const samplesPerLoad = 8;
export const warmUpSamples = 1;
/**
 * A load is warmed up for this part of the time that it is measured, and no longer than so many milliseconds or one
 * sample: seven threads each compile their code, and what is measured meanwhile is not what a server that runs for hours has.
 */
const warmUpPart = 0.5;
const warmUpMsMost = 2000;

/** A load that is measured beside others, by a name of its own. */
export interface SampledLoad {
  readonly id: string;
  readonly load: Load;
}

/** What was measured of one load. */
export interface Sampled {
  /** Commits per second, in the order in which the samples were taken: the first ones of all loads are beside each other. */
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
    throws: true,
  });
  const sliceMs = (seconds * 1000) / samplesPerLoad;
  const warmUpMs = Math.max(sliceMs, Math.min(warmUpMsMost, seconds * 1000 * warmUpPart));
  const histograms = new Map<string, Histogram>();
  const rates = new Map<string, number[]>();
  let turn: Promise<void> = Promise.resolve();
  for (const { id, load } of loads) {
    const histogram = latencyHistogram();
    histograms.set(id, histogram);
    const rate: number[] = [];
    rates.set(id, rate);
    let isWarm = false;
    let endTurn = (): void => {};
    const sample = async () => {
      const startedAt = performance.now();
      const { commits, durationMs } = await load.slice(
        clients,
        isWarm ? sliceMs : warmUpMs,
        isWarm ? histogram : undefined,
      );
      const overriddenIterationCost = performance.now() - startedAt;
      // tinybench sorts what it keeps: the first of one load would be beside the slowest of another.
      if (isWarm) rate.push((1000 * commits) / durationMs);
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
  return new Map(
    tasks.map(task => [task.name, read(task, rates.get(task.name)!, histograms.get(task.name)!)]),
  );
}

function read({ name, result }: Task, samples: readonly number[], histogram: Histogram): Sampled {
  if (result.state !== "completed") throw new Error(`${name} ended as ${result.state}`);
  const { throughput } = result;
  return {
    samples,
    commitsPerSecond: throughput.mean,
    commitsPerSecondSpread: throughput.rme,
    latencyMs: latenciesOf(histogram),
  };
}
