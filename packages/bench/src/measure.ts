import { Bench, type Task } from "tinybench";
import type { Experiment, RowCounts, Subject } from "./experiment.js";
import { VerificationError } from "./experiment.js";
import { ClosedLoopLoad } from "./load.js";
import type { BenchOptions } from "./options.js";
import type { TracedRun } from "./traced-run.js";
import { traceOneClient } from "./traced-run.js";

/** Samples per row; each is followed by one of every other row, so that drift of the machine hits all alike. */
const samplesPerRow = 8;
const warmUpSamples = 1;

/** What one row measured. */
export interface Measurement {
  readonly id: string;
  /** Commits per second, by sample. */
  readonly samples: readonly number[];
  readonly commitsPerSecond: number;
  /** Half the width of the 95% confidence interval, in percent of the mean, as tinybench computes it. */
  readonly commitsPerSecondSpread: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly commits: number;
  readonly counts: RowCounts | undefined;
  readonly traced: TracedRun;
}

/** Called after each step of a run. */
export type OnStep = (done: number, total: number, what: string) => void;

interface Running {
  readonly experiment: Experiment;
  readonly subject: Subject;
  readonly load: ClosedLoopLoad;
}

/** Runs the rows side by side, one sample of each at a time, and checks each of them. @throws VerificationError */
export async function measure(
  experiments: readonly Experiment[],
  options: BenchOptions,
  onStep: OnStep,
): Promise<Measurement[]> {
  const total = experiments.length * (samplesPerRow + warmUpSamples + 2);
  let done = 0;
  const step = (what: string): void => onStep(++done, total, what);
  const traced = new Map<string, TracedRun>();
  for (const experiment of experiments) {
    traced.set(experiment.id, await naming(experiment, () => traceOneClient(experiment, options)));
    step(`${experiment.id}: one client`);
  }
  const rows: Running[] = [];
  try {
    for (const experiment of experiments) {
      const subject = await experiment.start(options, false);
      const load = new ClosedLoopLoad(subject.propose, options.clients, options.payload);
      rows.push({ experiment, subject, load });
    }
    const tasks = await sampleInTurns(rows, options, step);
    const measurements: Measurement[] = [];
    for (const row of rows) {
      const { id } = row.experiment;
      const counts = await naming(row.experiment, async () => {
        const counted = await row.subject.counts();
        await row.subject.verify(row.load.acknowledged);
        return counted;
      });
      measurements.push({ ...read(row, tasks.get(id)!), counts, traced: traced.get(id)! });
      step(`${id}: verified`);
    }
    return measurements;
  } finally {
    await Promise.all(rows.map(({ subject }) => subject.close()));
  }
}

/** tinybench runs all tasks at once; a task that holds the turn samples, and the others wait for theirs. */
async function sampleInTurns(
  rows: readonly Running[],
  options: BenchOptions,
  step: (what: string) => void,
): Promise<Map<string, Task>> {
  const bench = new Bench({
    concurrency: "bench",
    iterations: samplesPerRow,
    time: 0,
    warmup: true,
    warmupIterations: warmUpSamples,
    warmupTime: 0,
    retainSamples: true,
    throws: true,
  });
  const sliceMs = (options.seconds * 1000) / samplesPerRow;
  let turn: Promise<void> = Promise.resolve();
  for (const { experiment, load } of rows) {
    let record = false;
    let endTurn = (): void => {};
    const sample = async () => {
      const startedAt = performance.now();
      const { commits, durationMs } = await load.slice(sliceMs, record);
      const overriddenIterationCost = performance.now() - startedAt;
      return { overriddenDuration: durationMs / commits, overriddenIterationCost };
    };
    bench.add(experiment.id, sample, {
      async: true,
      beforeAll: mode => {
        record = mode === "run";
      },
      beforeEach: () => {
        const before = turn;
        turn = new Promise(resolve => {
          endTurn = resolve;
        });
        return before;
      },
      afterEach: () => {
        step(`${experiment.id}: ${record ? "sample" : "warm-up"}`);
        endTurn();
      },
    });
  }
  const tasks = await bench.run();
  return new Map(tasks.map(task => [task.name, task]));
}

function read({ experiment, load }: Running, task: Task): Omit<Measurement, "counts" | "traced"> {
  const { result } = task;
  if (result.state !== "completed") throw new Error(`row ${experiment.id} ended as ${result.state}`);
  const { throughput, latency } = result;
  const { histogram } = load;
  return {
    id: experiment.id,
    samples: (latency.samples ?? []).map(ms => 1000 / ms),
    commitsPerSecond: throughput.mean,
    commitsPerSecondSpread: throughput.rme,
    latencyMs: {
      p50: histogram.getValueAtPercentile(50) / 1000,
      p99: histogram.getValueAtPercentile(99) / 1000,
    },
    commits: load.acknowledged,
  };
}

/** Says which row it was that failed. */
async function naming<T>(experiment: Experiment, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new VerificationError(`row ${experiment.id} does not count: ${error.message}`);
  }
}
