import { watchStages } from "@synod/runtime/internal";
import { median } from "../results/statistics.js";
import { profileLimits } from "./limits.js";
import { SteadyLoad } from "./load.js";
import { StageRecorder } from "./stage-times.js";
import type { Subject } from "./subject.js";

/** A ratio of neighbours in time: its median and its quartiles. */
export interface PairedRatio {
  readonly ratio: number;
  readonly from: number;
  readonly to: number;
}

/** What it costs that batches carry the times of their stages, measured in turns. */
export interface StageCost {
  readonly rounds: number;
  /** Commits per second, with / without. */
  readonly rate: PairedRatio;
  /** CPU time of the process for each commit, with / without: what other programs take is not in it. */
  readonly cpu: PairedRatio;
  /** The same of two neighbours of the same kind: what equal runs differ by. */
  readonly equalRate: PairedRatio;
  readonly equalCpu: PairedRatio;
}

interface Slice {
  readonly commitsPerSecond: number;
  /** Microseconds. */
  readonly cpuPerCommit: number;
}

/** Four slices: with, without, without and with, or the other way round. */
interface Round {
  readonly isForth: boolean;
  readonly slices: readonly Slice[];
}

/**
 * Measures two clusters in turns, with stage times and without: with, without, without, with, and then the other way
 * round, so that drift hits both alike; the two in the middle say what the machine makes of equal halves. Both must be fresh: a thread that has
 * worked for longer is compiled better, which makes more of a difference than stamps. Undefined when the signal ended
 * it too soon.
 */
export async function measureStageCost(
  timed: Subject,
  plain: Subject,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<StageCost | undefined> {
  const { rounds, roundsLeast, sliceMs: leastMs, warmUpSlices } = profileLimits.cost;
  const sliceMs = Math.max(leastMs, (seconds * 1000) / rounds / 4);
  watchStages(timed.client, new StageRecorder().add);
  const forth = [timed, plain, plain, timed];
  const back = [plain, timed, timed, plain];
  for (let slice = 0; slice < warmUpSlices; slice++)
    await sliceOf(forth[slice % forth.length]!, sliceMs, signal);
  const measured: Round[] = [];
  // A busy machine makes slices longer than they were asked to be.
  const untilMs = performance.now() + 2000 * seconds;
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    if (measured.length >= roundsLeast && performance.now() > untilMs) break;
    const isForth = round % 2 === 0;
    const slices: Slice[] = [];
    for (const subject of isForth ? forth : back) {
      const slice = await sliceOf(subject, sliceMs, signal);
      if (slice !== undefined) slices.push(slice);
    }
    if (slices.length === forth.length && !signal.aborted) measured.push({ isForth, slices });
  }
  return measured.length === 0 ? undefined : costOf(measured);
}

function costOf(measured: readonly Round[]): StageCost {
  const at = ({ slices }: Round, turn: number, of: keyof Slice) => (slices[turn] as Slice)[of];
  const compared = (of: keyof Slice) =>
    spreadOf(
      measured.map(round => {
        const ratio = (at(round, 0, of) + at(round, 3, of)) / (at(round, 1, of) + at(round, 2, of));
        return round.isForth ? ratio : 1 / ratio;
      }),
    );
  const equal = (of: keyof Slice) => spreadOf(measured.map(round => at(round, 2, of) / at(round, 1, of)));
  return {
    rounds: measured.length,
    rate: compared("commitsPerSecond"),
    cpu: compared("cpuPerCommit"),
    equalRate: equal("commitsPerSecond"),
    equalCpu: equal("cpuPerCommit"),
  };
}

/** A load in its steady state; undefined when nothing was committed. */
async function sliceOf({ load }: Subject, ms: number, signal: AbortSignal): Promise<Slice | undefined> {
  const running = new SteadyLoad(load);
  try {
    await running.run(ms / 5, signal);
    running.restart();
    const sinceMs = performance.now();
    const since = process.cpuUsage();
    await running.run(ms, signal);
    const { commits } = running.read();
    const { user, system } = process.cpuUsage(since);
    if (commits === 0) return undefined;
    const seconds = (performance.now() - sinceMs) / 1000;
    return { commitsPerSecond: commits / seconds, cpuPerCommit: (user + system) / commits };
  } finally {
    await running.stop();
  }
}

function spreadOf(ratios: readonly number[]): PairedRatio {
  const sorted = [...ratios].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] as number;
  return { ratio: median(ratios) as number, from: at(0.25), to: at(0.75) };
}
