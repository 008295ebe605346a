import { LogTail } from "./log-tail.js";
import type { AcceptedEntry, Address, Envelope, SampleMessage, StandInMessage } from "./messages.js";
import type { Replica } from "./replica.js";
import { indexOf } from "./roles.js";
import { type Divergence, SampleExchange } from "./sample-exchange.js";
import { type PublishedSnapshot, SnapshotDuty, type SnapshotPolicy } from "./snapshot-duty.js";
import { StandIn } from "./stand-in.js";

export interface UpkeepOptions {
  readonly learners: number;
  /** Index of the learner that it belongs to. */
  readonly index: number;
  readonly policy: SnapshotPolicy;
  /** So much of the log is kept above what is trimmed, for learners that lag a little. */
  readonly tailBytes: number;
}

export interface UpkeepReady {
  readonly send: readonly Envelope[];
  /** Each of them once; see {@link Divergence}. */
  readonly divergences: readonly Divergence[];
  /** What the learner may say of its published snapshots: see `Learner.published`. */
  readonly trimBelow: number;
}

/** What the replica shows of itself; it is another one after a snapshot was restored. */
type Applied = Pick<Replica, "appliedBelow" | "appliedCommands" | "samples">;

/**
 * What a learner sees to besides learning and applying: when to take a snapshot, what may be trimmed by it, who answers
 * while it pauses, and whether the others' state machines return the same. Snapshots themselves are its host's matter.
 */
export class Upkeep {
  readonly #index: number;
  readonly #tail: LogTail;
  readonly #duty: SnapshotDuty;
  readonly #samples: SampleExchange;
  readonly #standIn = new StandIn();
  #appliedCommands = 0;
  /** The snapshot that this learner has published, and knows to be of the state that its replica went through. */
  #publishedAt = 0;
  #trimBelow = 0;
  #isPaused = false;

  constructor({ learners, index, policy, tailBytes }: UpkeepOptions, now: number) {
    this.#index = index;
    this.#tail = new LogTail(tailBytes);
    this.#duty = new SnapshotDuty(learners, index, policy);
    this.#samples = new SampleExchange(learners, index, now);
  }

  /** Other learners for which this one answers: a view that changes, for `Replica`. */
  get standsInFor(): ReadonlySet<number> {
    return this.#standIn.answersFor;
  }

  /** `replica` has applied `entry`, which weighs so many bytes. */
  applied(entry: AcceptedEntry, bytes: number, replica: Applied, now: number): void {
    const { appliedBelow, appliedCommands, samples } = replica;
    this.#tail.add(entry.firstInstance, entry.count, bytes);
    this.#duty.applied(appliedBelow, appliedCommands - this.#appliedCommands, bytes);
    this.#appliedCommands = appliedCommands;
    this.#samples.applied(appliedBelow, samples, now);
  }

  receive(from: Address, message: SampleMessage | StandInMessage, replica: Applied, now: number): void {
    const learner = indexOf("learner", from);
    this.#samples.heard(learner, now);
    if (message.type === "standIn") this.#standIn.asked(learner, message.on, now);
    else this.#samples.receive(learner, message, replica.samples);
  }

  tick(replica: Applied, now: number): void {
    this.#standIn.tick(now);
    this.#samples.tick(replica.samples, now);
  }

  /** When {@link tick}, and then {@link isSnapshotDue}, want to be asked, in milliseconds of `now`'s clock. */
  get deadline(): number {
    const dutyAt = this.#mayPause ? this.#duty.deadline : Number.POSITIVE_INFINITY;
    return Math.min(this.#samples.deadline, this.#standIn.deadline, dutyAt);
  }

  /** A snapshot is to be taken now. */
  isSnapshotDue(now: number): boolean {
    return this.#mayPause && this.#duty.isDue(now);
  }

  /** A snapshot is due and may be put off: asked again then, in milliseconds of `now`'s clock. */
  postpone(until: number): void {
    this.#duty.postpone(until);
  }

  /** The log has become so long that a snapshot must not be put off. */
  get isPressing(): boolean {
    return this.#duty.isPressing;
  }

  /** Nobody would answer if it paused beside those for which it stands in. */
  get #mayPause(): boolean {
    if (this.#isPaused) return false;
    return this.#standIn.answersFor.size === 0 || this.#duty.isPressing;
  }

  /**
   * Applying stops for a while, to write a snapshot or to restore one. Another learner answers meanwhile, unless it is
   * not worth it: not for long.
   */
  pause(now: number, isLong = true): void {
    this.#isPaused = true;
    if (isLong) this.#standIn.ask(this.#samples.nextAlive(now), now);
  }

  resume(now: number): void {
    this.#isPaused = false;
    this.#standIn.takeBack(now);
  }

  /** The newest snapshot that any learner has published; this one's own included. */
  noted(newest: PublishedSnapshot): void {
    this.#duty.noted(newest);
  }

  /** A snapshot of the replica that holds everything below `instance` is complete, and outlives this learner. */
  published(instance: number, bytes = 0): void {
    this.#publishedAt = instance;
    this.noted({ learner: this.#index, instance, bytes });
  }

  snapshotFailed(now: number): void {
    this.#duty.failed(now);
  }

  /** `replica` goes on from a snapshot. */
  restored(snapshot: PublishedSnapshot, replica: Applied, now: number): void {
    const { learner, instance } = snapshot;
    this.#tail.clear();
    this.#appliedCommands = replica.appliedCommands;
    // One that it took in a former life is again of a state that it is in.
    if (learner === this.#index) this.#publishedAt = instance;
    this.noted(snapshot);
    this.#samples.restored(replica.appliedBelow, replica.samples, now);
  }

  takeReady(replica: Applied, now: number): UpkeepReady {
    const { send, divergences } = this.#samples.takeReady();
    this.#raiseTrim(replica, now);
    return { send: [...this.#standIn.takeSend(), ...send], divergences, trimBelow: this.#trimBelow };
  }

  /** Nothing is trimmed by a snapshot of a state that another living learner does not confirm. */
  #raiseTrim({ appliedBelow, samples }: Applied, now: number): void {
    const instance = this.#publishedAt;
    const below = Math.min(instance, this.#tail.firstInstance);
    if (below <= this.#trimBelow || appliedBelow < instance) return;
    if (this.#samples.confirms(instance, samples, now)) this.#trimBelow = below;
  }
}
