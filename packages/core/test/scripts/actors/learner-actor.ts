import {
  type Address,
  actorAddress,
  type CommandSegment,
  type DigestMismatch,
  Learner,
  type Message,
  Replica,
  type ReplicaState,
  type Result,
  Upkeep,
} from "@synod/core";
import { describeBallot, describeEntry } from "@synod/core/testing";
import { AppliedLog } from "../applied-log.js";
import { describeWords, digestOf, wordsOf } from "../payload.js";
import type { ClusterOptions, ScriptActor, Step } from "./script-actor.js";

/** A learner with the replica that it feeds. The state machine is a list: a command's result is its length. */
export class LearnerActor implements ScriptActor {
  readonly address: Address;
  log = new AppliedLog();
  /** What it has published; it outlives the learner. */
  snapshot: { readonly state: ReplicaState; readonly words: readonly string[] } | undefined;
  #learner: Learner;
  #replica: Replica;
  /** Only with the setting `samples`. */
  #upkeep: Upkeep | undefined;
  #lies = false;
  #wanted: number | undefined;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
  ) {
    this.address = actorAddress("learner", index);
    this.#learner = this.#createLearner();
    this.#upkeep = this.#createUpkeep(0);
    this.#replica = this.#createReplica();
  }

  get deadline(): number {
    return Math.min(this.#learner.deadline, this.#upkeep?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** A complete snapshot is published: everything below it may be trimmed. */
  publish(): void {
    this.snapshot = { state: this.#replica.snapshot(), words: [...this.log.words] };
    this.#learner.published(this.snapshot.state.appliedBelow);
  }

  /** It begins to restore another's snapshot. */
  pin(other: LearnerActor, now: number): void {
    this.#learner.pin(other.snapshot?.state.appliedBelow, now);
  }

  /** It has restored another's snapshot. */
  restore({ snapshot }: LearnerActor, now: number): void {
    if (snapshot === undefined) throw new Error("there is no snapshot to restore");
    this.log = new AppliedLog(snapshot.words);
    this.#replica = this.#createReplica(snapshot.state);
    this.#learner.restored(snapshot.state.appliedBelow, now);
    this.#learner.pin(undefined, now);
  }

  /** From now on its state machine returns something else than the others'. */
  lie(): void {
    this.#lies = true;
  }

  pause(now: number): void {
    this.#upkeep?.pause(now);
  }

  resume(now: number): void {
    this.#upkeep?.resume(now);
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "query") this.#replica.receive(from, message);
    else if (message.type === "sample" || message.type === "standIn") {
      this.#upkeep?.receive(from, message, this.#replica, now);
    } else this.#learner.receive(from, message, now);
  }

  tick(now: number): void {
    this.#learner.tick(now);
    this.#upkeep?.tick(this.#replica, now);
  }

  step(now: number): Step {
    const { chosen, send, mismatches, snapshotWanted } = this.#learner.takeReady();
    const lines = mismatches.map(
      mismatch => `${this.address} does not believe ${describeMismatch(mismatch)}`,
    );
    for (const entry of chosen) {
      lines.push(`${this.address} learns ${describeEntry(entry, describeWords)}`);
      this.#replica.apply(entry);
      this.#upkeep?.applied(entry, entry.count, this.#replica, now);
      for (const skipped of this.log.add(entry)) lines.push(`${this.address} does not apply ${skipped}`);
    }
    if (snapshotWanted !== this.#wanted && snapshotWanted !== undefined) {
      lines.push(`${this.address} needs a snapshot at or above ${snapshotWanted}`);
    }
    this.#wanted = snapshotWanted;
    const { send: told = [], divergences = [] } = this.#upkeep?.takeReady(this.#replica, now) ?? {};
    for (const { instance, learners } of divergences) {
      lines.push(
        `${this.address} sees learner-${learners.join(" and learner-")} differ at instance ${instance}`,
      );
    }
    return { lines, send: [...send, ...told, ...this.#replica.takeReady().send] };
  }

  restart(now: number): string {
    this.log = new AppliedLog();
    this.#lies = false;
    this.#wanted = undefined;
    this.#learner = this.#createLearner();
    this.#upkeep = this.#createUpkeep(now);
    this.#replica = this.#createReplica();
    return "an empty log";
  }

  status(): readonly string[] {
    const { chosenBelow, trimmedBelow } = this.#learner;
    const trimmed = trimmedBelow > 0 ? `, acceptors have trimmed below ${trimmedBelow}` : "";
    return [`chosen below ${chosenBelow}, applied below ${this.#replica.appliedBelow}${trimmed}`];
  }

  #createLearner(): Learner {
    const { topology, quorums, fetchAfterMs, firstInstance, digest } = this.options;
    const digests = digest ? { digest: digestOf } : {};
    return new Learner({ topology, quorums, index: this.index, fetchAfterMs, ...digests }, firstInstance);
  }

  #createUpkeep(now: number): Upkeep | undefined {
    const { samples, topology } = this.options;
    if (!samples) return undefined;
    const never = Number.POSITIVE_INFINITY;
    const policy = { everyCommands: never, everyBytes: never, bytesMax: never };
    return new Upkeep({ learners: topology.learners, index: this.index, policy, tailBytes: 0 }, now);
  }

  #createReplica(state?: ReplicaState): Replica {
    const host = {
      apply: (segment: CommandSegment, skip: number, firstInstance: number): readonly Result[] =>
        wordsOf(segment, skip).map((word, position) => this.log.apply(word, firstInstance + position)),
      query: () => `[${this.log.words.join(", ")}]`,
    };
    const { sessionTimeoutMs } = this.options;
    // Every result is a sample.
    const samples = { digestOf: (result: Result) => Number(result) + (this.#lies ? 1 : 0), every: 1 };
    const standsInFor = this.#upkeep?.standsInFor ?? new Set<number>();
    return new Replica({ learner: this.index, host, sessionTimeoutMs, standsInFor, samples }, state);
  }
}

function describeMismatch({ ballot, firstInstance, count, expected, found }: DigestMismatch): string {
  const instances = count === 1 ? `${firstInstance}` : `${firstInstance}..${firstInstance + count - 1}`;
  return `${instances} in ${describeBallot(ballot)}: digest ${found.toString(16)}, not ${expected.toString(16)}`;
}
