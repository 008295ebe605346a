import type { Experiment } from "./experiment.js";
import { ClosedLoopLoad, type Latencies, latenciesOf, latencyHistogram } from "./load.js";
import type { BenchOptions } from "./options.js";
import { median } from "./results/statistics.js";

const commitsTraced = 300;

/** What a short run with one client and traced frames shows. Without messages the figures are null. */
export interface TracedRun {
  readonly commits: number;
  /** Longest chain of frames up to the quorum of the learner that answers, and of the one that knows last. */
  readonly messageDelays: number | null;
  readonly messageDelaysAllLearners: number | null;
  /** Prepare, Promise, Accept, Accepted and Chosen frames, repeated ones included. */
  readonly consensusMessagesPerCommit: number | null;
  /** What the formula says of it, which holds exactly where nothing was disturbed. */
  readonly consensusMessagesFormula: number | null;
  /** Frames that were sent again, refusals and fetches: what a machine that stalls makes of a run. */
  readonly disturbances: number | null;
  readonly latencyMs: Latencies;
}

/** Runs an experiment with one client and verifies it. @throws VerificationError */
export async function traceOneClient(
  experiment: Experiment,
  options: BenchOptions,
  commits = commitsTraced,
): Promise<TracedRun> {
  const subject = await experiment.start({ ...options, clients: 1 }, true);
  try {
    const load = new ClosedLoopLoad(subject.propose, options.payload);
    const histogram = latencyHistogram();
    await load.sequence(commits, histogram);
    const counts = await subject.counts();
    const traced = await subject.traced();
    await subject.verify(commits);
    return {
      commits,
      messageDelays: median(traced?.depths[0] ?? []),
      messageDelaysAllLearners: median(deepest(traced?.depths ?? [])),
      consensusMessagesPerCommit: counts === undefined ? null : counts.consensusFrames / commits,
      consensusMessagesFormula: experiment.consensusMessages(options),
      disturbances:
        counts === undefined || traced === undefined
          ? null
          : traced.again + counts.refuseFrames + counts.fetchFrames,
      latencyMs: latenciesOf(histogram),
    };
  } finally {
    await subject.close();
  }
}

/** Per instance, the depth at the learner where it is greatest. */
function deepest(learners: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = learners;
  return first.map((depth, at) => Math.max(depth, ...others.map(depths => depths[at] ?? 0)));
}
