import { type Experiment, type RowCounts, type Subject, VerificationError } from "./experiment.js";
import { ClosedLoopLoad } from "./load.js";
import type { BenchOptions } from "./options.js";
import { type Sampled, sampleInTurns, samplesPerLoad, warmUpSamples } from "./sampling.js";
import { type TracedRun, traceOneClient } from "./traced-run.js";

/** What one row measured. */
export interface Measurement extends Sampled {
  readonly id: string;
  readonly variantOf: string | undefined;
  readonly commits: number;
  readonly counts: RowCounts | undefined;
  readonly traced: TracedRun;
}

/** Called after each step of a run. */
export type OnStep = (done: number, total: number, what: string) => void;

interface Running {
  readonly id: string;
  readonly experiment: Experiment;
  readonly subject: Subject;
  readonly load: ClosedLoopLoad;
}

/** How many steps {@link measure} will report. */
export function stepsOf(experiments: readonly Experiment[]): number {
  return experiments.length * (samplesPerLoad + warmUpSamples + 2);
}

/** Runs the rows side by side, one sample of each at a time, and checks each of them. @throws VerificationError */
export async function measure(
  experiments: readonly Experiment[],
  options: BenchOptions,
  onStep: OnStep,
): Promise<Measurement[]> {
  const total = stepsOf(experiments);
  let done = 0;
  const step = (what: string): void => onStep(++done, total, what);
  const traced = new Map<string, TracedRun>();
  for (const experiment of experiments) {
    traced.set(experiment.id, await naming(experiment.id, () => traceOneClient(experiment, options)));
    step(`${experiment.id}: one client`);
  }
  const rows: Running[] = [];
  try {
    for (const experiment of experiments) {
      const subject = await experiment.start(options, false);
      const load = new ClosedLoopLoad(subject.propose, options.payload);
      rows.push({ id: experiment.id, experiment, subject, load });
    }
    const sampled = await sampleInTurns(rows, options, step);
    const measurements: Measurement[] = [];
    for (const { id, experiment, subject, load } of rows) {
      const counts = await naming(id, () => verifiedCounts(subject, load));
      const { variantOf } = experiment;
      const commits = load.acknowledged;
      measurements.push({ id, variantOf, ...sampled.get(id)!, commits, counts, traced: traced.get(id)! });
      step(`${id}: verified`);
    }
    return measurements;
  } finally {
    await Promise.all(rows.map(({ subject }) => subject.close()));
  }
}

/** What a subject counted up to now, once it has proved that nothing else happened. @throws VerificationError */
export async function verifiedCounts(subject: Subject, load: ClosedLoopLoad): Promise<RowCounts | undefined> {
  const counts = await subject.counts();
  await subject.verify(load.acknowledged);
  return counts;
}

/** Says which row it was that failed. */
export async function naming<T>(id: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new VerificationError(`row ${id} does not count: ${error.message}`);
  }
}
