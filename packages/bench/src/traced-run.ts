import type { Experiment } from "./experiment.js";
import { ClosedLoopLoad } from "./load.js";
import type { BenchOptions } from "./options.js";
import { median } from "./statistics.js";

const commitsTraced = 300;

/** What a short run with one client and traced frames shows. Without messages the figures are null. */
export interface TracedRun {
  readonly commits: number;
  /** Longest chain of frames up to the quorum of the learner that answers, and of the one that knows last. */
  readonly messageDelays: number | null;
  readonly messageDelaysAllLearners: number | null;
  /** Prepare, Promise, Accept and Accepted frames. */
  readonly consensusMessagesPerCommit: number | null;
  /** Each stands where Accepted to every learner and the leader would. */
  readonly refusalsPerCommit: number | null;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** Runs an experiment with one client and verifies it. @throws VerificationError */
export async function traceOneClient(experiment: Experiment, options: BenchOptions): Promise<TracedRun> {
  const subject = await experiment.start({ ...options, clients: 1 }, true);
  try {
    const load = new ClosedLoopLoad(subject.propose, 1, options.payload);
    await load.sequence(commitsTraced);
    const counts = await subject.counts();
    const depths = await subject.depths();
    await subject.verify(commitsTraced);
    return {
      commits: commitsTraced,
      messageDelays: median(depths?.[0] ?? []),
      messageDelaysAllLearners: median(deepest(depths ?? [])),
      consensusMessagesPerCommit: counts === undefined ? null : counts.consensusFrames / commitsTraced,
      refusalsPerCommit: counts === undefined ? null : counts.refuseFrames / commitsTraced,
      latencyMs: {
        p50: load.histogram.getValueAtPercentile(50) / 1000,
        p99: load.histogram.getValueAtPercentile(99) / 1000,
      },
    };
  } finally {
    await subject.close();
  }
}

/** Per instance, the depth at the learner where it is greatest. */
function deepest(learners: readonly number[][]): number[] {
  const [first = [], ...others] = learners;
  return first.map((depth, at) => Math.max(depth, ...others.map(depths => depths[at] ?? 0)));
}
