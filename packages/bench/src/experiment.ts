import type { Propose } from "./load.js";
import type { BenchOptions } from "./options.js";

/** What a row counted over all its commits, whether measured or warming up. */
export interface RowCounts {
  /** Frames and framed bytes that anyone wrote, maintenance apart. */
  readonly frames: number;
  readonly bytes: number;
  /** Frames of actors telling each other how far they are: they depend on time, not on commits. */
  readonly maintenanceFrames: number;
  /** Prepare, Promise, Accept and Accepted frames. */
  readonly consensusFrames: number;
  /** An acceptor that had promised a higher ballot by then. */
  readonly refuseFrames: number;
  readonly acceptFrames: number;
  /** Commands times the acceptors that their Accept went to. */
  readonly acceptors: number;
  readonly wakeUps: number;
}

/** Something running that takes commands: a cluster, or a row's stand-in for one. */
export interface Subject {
  readonly propose: Propose;
  /**
   * Proves that everything acknowledged was applied once by every replica, and nothing else. Call when idle.
   *
   * @throws VerificationError
   */
  verify(acknowledged: number): Promise<void>;
  /** Undefined where there are no messages. Call when idle. */
  counts(): Promise<RowCounts | undefined>;
  /** Per learner, the answering one first: the depth of every instance since the start. Only in traced runs. */
  depths(): Promise<readonly number[][] | undefined>;
  close(): Promise<void>;
}

/** One row of the table. */
export interface Experiment {
  readonly id: string;
  /** What it adds to the row before it, in a few words. */
  readonly adds: string;
  start(options: BenchOptions, trace: boolean): Promise<Subject>;
}

/** A row that does not count: what it measured was not what it claims. */
export class VerificationError extends Error {
  override readonly name = "VerificationError";
}
