import { watchStages } from "@synod/runtime/internal";
import { median } from "../statistics.js";
import { profileLimits } from "./limits.js";
import { SteadyLoad } from "./load.js";
import { StageRecorder } from "./stage-times.js";
import type { Subject } from "./subject.js";

/** What it costs that batches carry the times of their stages. */
export interface StageCost {
  /** Commits per second with / without: the median of pairs that were measured in turns, and their quartiles. */
  readonly ratio: number;
  readonly from: number;
  readonly to: number;
  readonly pairs: number;
  /** Of the halves with stage times, without any profiler: their median. */
  readonly commitsPerSecond: number;
  /** The same of pairs of which both halves were without: what two equal runs differ by. */
  readonly noise: { readonly ratio: number; readonly from: number; readonly to: number };
}

/**
 * Measures two clusters in turns, with stage times and without; each pair is with, without and without again, so that
 * the same pair says what the machine makes of two equal halves. Undefined when the signal ended it too soon.
 */
export async function measureStageCost(
  timed: Subject,
  plain: Subject,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<StageCost | undefined> {
  const { pairs, pairsLeast, sliceMs: leastMs } = profileLimits.cost;
  const sliceMs = Math.max(leastMs, (seconds * 1000) / pairs / 3);
  watchStages(timed.client, new StageRecorder().add);
  // Both are compiled, and have grown as they will, before anything counts.
  for (const subject of [timed, plain]) await rateOf(subject, sliceMs, signal);
  const ratios: number[] = [];
  const equal: number[] = [];
  const rates: number[] = [];
  // A busy machine makes slices longer than they were asked to be.
  const untilMs = performance.now() + 2000 * seconds;
  for (let pair = 0; pair < pairs && !signal.aborted; pair++) {
    if (pair >= pairsLeast && performance.now() > untilMs) break;
    const first = await rateOf(plain, sliceMs, signal);
    const on = await rateOf(timed, sliceMs, signal);
    const second = await rateOf(plain, sliceMs, signal);
    if (signal.aborted || first === 0 || second === 0) break;
    rates.push(on);
    ratios.push((2 * on) / (first + second));
    equal.push(second / first);
  }
  if (ratios.length === 0) return undefined;
  const commitsPerSecond = median(rates) as number;
  return { ...spreadOf(ratios), pairs: ratios.length, commitsPerSecond, noise: spreadOf(equal) };
}

/** Commits per second of a load in its steady state. */
async function rateOf({ load }: Subject, ms: number, signal: AbortSignal): Promise<number> {
  const running = new SteadyLoad(load);
  try {
    await running.run(ms / 5, signal);
    running.restart();
    const sinceMs = performance.now();
    await running.run(ms, signal);
    return (running.read().commits * 1000) / (performance.now() - sinceMs);
  } finally {
    await running.stop();
  }
}

function spreadOf(ratios: readonly number[]): { ratio: number; from: number; to: number } {
  const sorted = [...ratios].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] as number;
  return { ratio: median(ratios) as number, from: at(0.25), to: at(0.75) };
}
