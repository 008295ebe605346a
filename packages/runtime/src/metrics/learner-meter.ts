import type { Learned } from "../backlog.js";
import { type ApplyMessage, channels, type SnapshotMessage } from "../diagnostics.js";
import type { ActorMetrics, Counter } from "./actor-metrics.js";
import type { Histogram } from "./histogram.js";

/** Batches that were heard of and are not chosen, of which the time is kept; of more it is not. */
const batchesTimed = 4096;

/** A snapshot that was taken or restored. */
type Done = Required<Pick<SnapshotMessage, "instance" | "bytes" | "ms">>;

/** Counts and times what a learner does, and tells of it on its thread's channels. */
export class LearnerMeter {
  readonly #metrics: ActorMetrics;
  readonly #learner: string;
  readonly #learnMs: Histogram;
  readonly #applyMs: Histogram;
  readonly #appliedBatches: Counter;
  readonly #appliedCommands: Counter;
  readonly #queries: Counter;
  /** The end of what was heard of, and of each batch that is not chosen yet, in order. */
  #heardBelow = 0;
  readonly #ends: number[] = [];
  readonly #heardAt: number[] = [];

  constructor(metrics: ActorMetrics, learner: string) {
    this.#metrics = metrics;
    this.#learner = learner;
    this.#learnMs = metrics.histogram("learnMs");
    this.#applyMs = metrics.histogram("applyMs");
    this.#appliedBatches = metrics.counter("appliedBatches");
    this.#appliedCommands = metrics.counter("appliedCommands");
    this.#queries = metrics.counter("queries");
  }

  /** Somebody has told of the instances up to `end`, that one excluded. */
  heard(end: number, now: number): void {
    if (end <= this.#heardBelow) return;
    this.#heardBelow = end;
    if (this.#ends.length >= batchesTimed) return;
    this.#ends.push(end);
    this.#heardAt.push(now);
  }

  /** Everything below is chosen. */
  learned(chosenBelow: number, now: number): void {
    while (this.#ends.length > 0 && (this.#ends[0] as number) <= chosenBelow) {
      this.#ends.shift();
      this.#learnMs.record(now - (this.#heardAt.shift() as number));
    }
    // Told by another learner, or from a snapshot: whatever is heard of it later is old.
    if (chosenBelow > this.#heardBelow) this.#heardBelow = chosenBelow;
  }

  /** A batch was applied; so many commands have been applied in all. */
  applied({ entry, learnedAtMs }: Learned, commands: number, now: number): void {
    const ms = now - learnedAtMs;
    this.#applyMs.record(ms);
    this.#appliedBatches.add(1);
    this.#appliedCommands.raise(commands);
    if (!channels.apply.hasSubscribers) return;
    const { firstInstance, count, batch } = entry;
    const message: ApplyMessage = {
      learner: this.#learner,
      firstInstance,
      count,
      timeMs: batch.timeMs,
      ms,
    };
    channels.apply.publish(message);
  }

  asked(): void {
    this.#queries.add(1);
  }

  mismatched(): void {
    this.#metrics.counter("digestMismatches").add(1);
  }

  snapshotTaken(done: Done): void {
    this.#metrics.counter("snapshotsTaken").add(1);
    this.#metrics.histogram("snapshotMs").record(done.ms);
    this.#publish({ learner: this.#learner, phase: "snapshot", ...done });
  }

  /** A snapshot was restored, in which so many commands were applied. */
  snapshotRestored(done: Done, commands: number): void {
    this.#metrics.counter("snapshotsRestored").add(1);
    this.#appliedCommands.raise(commands);
    this.#metrics.histogram("restoreMs").record(done.ms);
    this.#publish({ learner: this.#learner, phase: "restore", ...done });
  }

  snapshotFailed(phase: SnapshotMessage["phase"], error: unknown): void {
    this.#metrics.counter("snapshotsFailed").add(1);
    this.#publish({ learner: this.#learner, phase, error });
  }

  #publish(message: SnapshotMessage): void {
    if (channels.snapshot.hasSubscribers) channels.snapshot.publish(message);
  }
}
