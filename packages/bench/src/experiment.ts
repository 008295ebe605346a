import type { Propose } from "./load.js";
import type { BenchOptions } from "./options.js";

/** What a row counted over all its commits, whether measured or warming up. */
export interface RowCounts {
  /** Frames and framed bytes that anyone wrote, maintenance apart. */
  readonly frames: number;
  readonly bytes: number;
  /** Frames of actors telling each other that they live and how far they are: they depend on time, not on commits. */
  readonly maintenanceFrames: number;
  /** Prepare, Promise, Accept, Accepted and Chosen frames. */
  readonly consensusFrames: number;
  /** An acceptor that had promised a higher ballot by then. */
  readonly refuseFrames: number;
  /** A learner that missed something. */
  readonly fetchFrames: number;
  /** Found no room in a lane; written again when they were missed. */
  readonly droppedFrames: number;
  readonly acceptFrames: number;
  /** Frames that one Accept is sent in. */
  readonly acceptReceivers: number;
  readonly wakeUps: number;
}

/** What only a traced run knows. */
export interface Traced {
  /** Per learner, the answering one first: the depth of every instance since the start. */
  readonly depths: readonly (readonly number[])[];
  /** Frames that went out before, and went out again. */
  readonly again: number;
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
  /** Undefined where there are no messages, or nothing was traced. Call when idle. */
  traced(): Promise<Traced | undefined>;
  close(): Promise<void>;
}

/** One row of the table. */
export interface Experiment {
  readonly id: string;
  /** What it adds to the row before it, or changes in the row that it is a variant of, in a few words. */
  readonly adds: string;
  /** The row that it differs from in one thing, where that is not the row before it. */
  readonly variantOf?: string;
  /** Bytes of payload at which it is compared with that row once more. */
  readonly alsoAtPayload?: number;
  /** What the formula says of an Accept's consensus messages; null where there are none. */
  consensusMessages(options: BenchOptions): number | null;
  start(options: BenchOptions, trace: boolean): Promise<Subject>;
}

/** A row that does not count: what it measured was not what it claims. */
export class VerificationError extends Error {
  override readonly name = "VerificationError";
}
