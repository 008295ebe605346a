import type { Latencies } from "./load.js";
import type { Measurement } from "./measure.js";
import type { BenchOptions } from "./options.js";
import { type Noise, noiseOf, ratio, ratioOfPairs } from "./results/statistics.js";
import type { TracedRun } from "./traced-run.js";

/** One row; null where there is nothing to count. */
export interface Row {
  readonly id: string;
  readonly commitsPerSecond: number;
  /** Half the width of the 95% confidence interval, in percent. */
  readonly commitsPerSecondSpread: number;
  readonly latencyMs: Latencies;
  readonly messagesPerCommit: number | null;
  readonly bytesPerCommit: number | null;
  readonly messageDelays: number | null;
  readonly messageDelaysAllLearners: number | null;
  readonly commandsPerAccept: number | null;
  readonly wakeUpsPerCommit: number | null;
  readonly maintenancePerCommit: number | null;
  /** Of all commits, warming up included: what went wrong and was mended. */
  readonly refuseFrames: number | null;
  readonly fetchFrames: number | null;
  readonly droppedFrames: number | null;
  readonly ratioToFirst: number | null;
  readonly ratioToCeiling: number | null;
  /** The short traced run. */
  readonly oneClient: TracedRun;
  /** Commits per second. */
  readonly samples: readonly number[];
}

/** A row beside the one that it differs from in one thing, measured in turns with the same options. */
export interface Comparison {
  readonly id: string;
  readonly variantOf: string;
  readonly payload: number;
  readonly clients: number;
  readonly commitsPerSecond: number;
  readonly commitsPerSecondOfBase: number;
  /** False where the 95% confidence interval of the ratio has 1 in it. */
  readonly differs: boolean;
  /** Of commits per second, in the middle of the pairs of samples that were taken beside each other. */
  readonly ratio: number;
  /** Half the width of its 95% confidence interval, in percent of it. */
  readonly ratioSpread: number;
  /** Per commit, in relation to the other row. */
  readonly messagesRatio: number | null;
  readonly bytesRatio: number | null;
}

/** Rows that were measured side by side. */
export interface MeasuredGroup {
  readonly options: BenchOptions;
  readonly measurements: readonly Measurement[];
}

export interface Report {
  readonly options: BenchOptions;
  readonly rows: readonly Row[];
  /** Rows that were measured again with other options than the run's. */
  readonly otherRows: readonly { readonly options: BenchOptions; readonly rows: readonly Row[] }[];
  readonly comparisons: readonly Comparison[];
  /** Of each row's samples every other one, beside those in between: the same row, measured twice in turns. */
  readonly noise: Noise | null;
}

/** The first group is the run's table, the others are only compared. */
export function reportOf([main, ...others]: readonly [MeasuredGroup, ...MeasuredGroup[]]): Report {
  return {
    options: main.options,
    rows: rowsOf(main.measurements),
    otherRows: others.map(({ options, measurements }) => ({ options, rows: rowsOf(measurements) })),
    comparisons: [main, ...others].flatMap(comparisonsOf),
    noise: noiseOf(main.measurements.map(({ samples }) => twiceOf(samples))),
  };
}

/** Two measurements out of one: the means of its even and its odd samples. */
function twiceOf(samples: readonly number[]): number[] {
  if (samples.length < 2) return [];
  return [0, 1].map(odd => {
    const part = samples.filter((_, at) => at % 2 === odd);
    return part.reduce((sum, sample) => sum + sample, 0) / part.length;
  });
}

function comparisonsOf({ options, measurements }: MeasuredGroup): Comparison[] {
  const rows = new Map(rowsOf(measurements).map(row => [row.id, row]));
  const comparisons: Comparison[] = [];
  for (const { id, variantOf } of measurements) {
    const row = rows.get(id)!;
    const base = variantOf === undefined ? undefined : rows.get(variantOf);
    if (variantOf === undefined || base === undefined) continue;
    const pairs = ratioOfPairs(row.samples, base.samples);
    const related = (value: number | null, to: number | null) =>
      value === null ? null : ratio(value, to ?? 0);
    comparisons.push({
      id,
      variantOf,
      payload: options.payload,
      clients: options.clients,
      commitsPerSecond: row.commitsPerSecond,
      commitsPerSecondOfBase: base.commitsPerSecond,
      differs: pairs.differs,
      ratio: pairs.ratio,
      ratioSpread: (50 * (pairs.high - pairs.low)) / pairs.ratio,
      messagesRatio: related(row.messagesPerCommit, base.messagesPerCommit),
      bytesRatio: related(row.bytesPerCommit, base.bytesPerCommit),
    });
  }
  return comparisons;
}

/** Puts rows in relation to the first one and to the ceiling, if that was measured. */
function rowsOf(measurements: readonly Measurement[]): Row[] {
  const first = measurements[0]?.commitsPerSecond;
  const ceiling = measurements.find(({ id }) => id === "ceiling")?.commitsPerSecond;
  return measurements.map(({ commits, counts, traced, ...measured }) => {
    const perCommit = (count: number | undefined) => (count === undefined ? null : ratio(count, commits));
    const copies = counts && ratio(commits * counts.acceptReceivers, counts.acceptFrames);
    return {
      id: measured.id,
      commitsPerSecond: measured.commitsPerSecond,
      commitsPerSecondSpread: measured.commitsPerSecondSpread,
      latencyMs: measured.latencyMs,
      messagesPerCommit: perCommit(counts?.frames),
      bytesPerCommit: perCommit(counts?.bytes),
      messageDelays: traced.messageDelays,
      messageDelaysAllLearners: traced.messageDelaysAllLearners,
      commandsPerAccept: copies ?? null,
      wakeUpsPerCommit: perCommit(counts?.wakeUps),
      maintenancePerCommit: perCommit(counts?.maintenanceFrames),
      refuseFrames: counts?.refuseFrames ?? null,
      fetchFrames: counts?.fetchFrames ?? null,
      droppedFrames: counts?.droppedFrames ?? null,
      ratioToFirst: ratio(measured.commitsPerSecond, first),
      ratioToCeiling: ratio(measured.commitsPerSecond, ceiling),
      oneClient: traced,
      samples: measured.samples,
    };
  });
}
