import { entriesFrom } from "../accepted-log.js";
import type { CommandSegment } from "../batch.js";
import { Learner } from "../learner.js";
import type { AcceptedEntry, Address, Message, QueryMessage, Result, Results } from "../messages.js";
import { Replica, type ReplicaState } from "../replica.js";
import { actorAddress, indexOf } from "../roles.js";
import { Upkeep } from "../upkeep.js";
import { quorumsOf, timing } from "./actor-hosts.js";
import type { StoredSnapshot } from "./snapshot-store.js";
import { decodeCommand, digestOf } from "./values.js";
import type { Host, World } from "./world.js";

/** What a learner pauses for. Each of its steps ends at a time, and another begins. */
type Pause = {
  stepsLeft: number;
  stepEndsAt: number;
} & ({ readonly kind: "snapshot" } | { readonly kind: "restore"; snapshot: StoredSnapshot });

/** So long takes a step of writing or restoring a snapshot at most, in virtual milliseconds. */
const stepMsMax = 20;
const stepsMax = 4;
/** A learner that may not write yet asks again after so long, in virtual milliseconds. */
const postponeMs = 10;
/** A learner that starts again waits with so probably no snapshot until it is told that it needs one. */
const restoresAtOnce = 0.8;

export class LearnerHost implements Host {
  readonly role = "learner";
  readonly address: Address;
  #learner: Learner;
  #replica: Replica;
  #upkeep: Upkeep;
  #applied = 0;
  #pause: Pause | undefined;
  /** What was chosen, and what was asked, during a pause. */
  #backlog: AcceptedEntry[] = [];
  #queries: { readonly from: Address; readonly query: QueryMessage }[] = [];

  constructor(
    readonly world: World,
    readonly index: number,
  ) {
    this.address = actorAddress("learner", index);
    this.#learner = this.#startLearner();
    this.#upkeep = this.#startUpkeep(world.now);
    this.#replica = this.#startReplica();
  }

  get deadline(): number {
    const pauseAt = this.#pause?.stepEndsAt ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#learner.deadline, this.#upkeep.deadline, pauseAt);
  }

  /** It has no snapshot to write or restore, and answers for nobody else. */
  get isQuiet(): boolean {
    return this.#pause === undefined && this.#upkeep.standsInFor.size === 0;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "query") {
      if (this.#pause !== undefined) this.#queries.push({ from, query: message });
      else this.#replica.receive(from, message);
    } else if (message.type === "sample" || message.type === "standIn") {
      this.world.checker.samples.onHeard(this.index, indexOf("learner", from), now);
      this.#upkeep.receive(from, message, this.#replica, now);
    } else this.#learner.receive(from, message, now);
  }

  tick(now: number): void {
    this.#learner.tick(now);
    this.#upkeep.tick(this.#replica, now);
    if (this.#pause !== undefined && now >= this.#pause.stepEndsAt) this.#step(this.#pause, now);
  }

  flush(now: number): void {
    const { checker, counters, snapshots } = this.world;
    const { chosen, send, mismatches, snapshotWanted } = this.#learner.takeReady();
    counters.mismatches += mismatches.length;
    checker.onMismatches(this.index, mismatches.length);
    this.#backlog.push(...chosen);
    if (snapshots.newest !== undefined) this.#upkeep.noted(snapshots.newest);
    if (this.#pause === undefined) this.#work(snapshotWanted, now);
    const { send: upkeepSend, divergences, trimBelow } = this.#upkeep.takeReady(this.#replica, now);
    for (const divergence of divergences) {
      counters.divergences += 1;
      checker.onDivergence(divergence);
    }
    this.#learner.published(trimBelow);
    const { send: reports } = this.#learner.takeReady();
    const { send: answers } = this.#replica.takeReady();
    this.world.send(this, [...send, ...reports, ...upkeepSend, ...answers]);
  }

  crash(): void {
    this.world.snapshots.abandon(this.index);
    this.#pause = undefined;
  }

  restart(now: number): void {
    this.world.checker.onLearnerRestart(this.index);
    this.#applied = 0;
    this.#backlog = [];
    this.#queries = [];
    this.#learner = this.#startLearner();
    this.#upkeep = this.#startUpkeep(now);
    this.#replica = this.#startReplica();
    this.#learner.start(now);
    const { newest } = this.world.snapshots;
    if (newest !== undefined && this.world.random.chance(restoresAtOnce)) this.#beginRestore(newest, now);
  }

  /** Applies what is chosen, then sees whether a snapshot is to be restored or taken. */
  #work(snapshotWanted: number | undefined, now: number): void {
    const { newest } = this.world.snapshots;
    this.#applyBacklog(now);
    if (snapshotWanted !== undefined && newest !== undefined && newest.instance >= snapshotWanted) {
      this.world.counters.snapshotsWanted += 1;
      this.#beginRestore(newest, now);
    } else if (this.#upkeep.isSnapshotDue(now)) this.#beginOrPostpone(now);
  }

  /** Hosts in one process see at once who writes, while what they tell each other takes its time. */
  #beginOrPostpone(now: number): void {
    const { counters, snapshots } = this.world;
    if (this.#upkeep.isPressing || !snapshots.isWrittenBeside(this.index)) return this.#beginSnapshot(now);
    counters.postponedSnapshots += 1;
    this.#upkeep.postpone(now + postponeMs);
  }

  #applyBacklog(now: number): void {
    const { checker, counters } = this.world;
    for (const entry of this.#backlog) {
      checker.onHandOn(this.index, entry);
      this.#replica.apply(entry);
      checker.onEntryApplied(this.index, this.#replica.appliedBelow);
      // An instance weighs a byte.
      this.#upkeep.applied(entry, entry.count, this.#replica, now);
      const { standsInFor } = this.#upkeep;
      const isForOther = entry.batch.segments.some(
        segment => "answerer" in segment && standsInFor.has(segment.answerer),
      );
      if (isForOther) counters.answersForOthers += 1;
    }
    this.#backlog = [];
  }

  #beginSnapshot(now: number): void {
    const state = this.#replica.snapshot();
    this.world.snapshots.begin({ learner: this.index, instance: state.appliedBelow, state });
    this.#upkeep.pause(now);
    this.#pause = { kind: "snapshot", ...this.#firstStep(now) };
  }

  #beginRestore(snapshot: StoredSnapshot, now: number): void {
    this.#upkeep.pause(now);
    this.#learner.pin(snapshot.instance, now);
    this.#pause = { kind: "restore", snapshot, ...this.#firstStep(now) };
  }

  #firstStep(now: number): Pick<Pause, "stepsLeft" | "stepEndsAt"> {
    const { random } = this.world;
    return { stepsLeft: random.between(1, stepsMax), stepEndsAt: now + random.between(1, stepMsMax) };
  }

  #step(pause: Pause, now: number): void {
    pause.stepsLeft -= 1;
    pause.stepEndsAt = now + this.world.random.between(1, stepMsMax);
    if (pause.stepsLeft > 0) return;
    this.#pause = undefined;
    if (pause.kind === "snapshot") this.#endSnapshot(now);
    else this.#endRestore(pause.snapshot, now);
  }

  #endSnapshot(now: number): void {
    const { counters, checker, snapshots } = this.world;
    const { appliedBelow } = this.#replica;
    if (this.#fails("failSnapshot")) {
      counters.failedSnapshots += 1;
      snapshots.abandon(this.index);
      this.#upkeep.snapshotFailed(now);
    } else {
      counters.snapshots += 1;
      checker.trims.onPublished(appliedBelow);
      snapshots.publish(this.index, this.#applied, checker.samples.onPublished(this.index, appliedBelow));
      this.#upkeep.published(appliedBelow);
    }
    this.#goOn(now);
  }

  /** What is half restored is of no use: after a failure it begins again, with the newest one. */
  #endRestore(snapshot: StoredSnapshot, now: number): void {
    const { counters, checker, snapshots } = this.world;
    if (this.#fails("failRestore")) {
      counters.failedRestores += 1;
      return this.#beginRestore(snapshots.newest ?? snapshot, now);
    }
    counters.restores += 1;
    const { instance, state, applied } = snapshot;
    this.#applied = applied;
    this.#replica = this.#startReplica(state);
    checker.onRestored(this.index, snapshot);
    this.#learner.restored(instance, now);
    this.#learner.pin(undefined, now);
    this.#backlog = entriesFrom(this.#backlog, instance);
    this.#upkeep.restored(snapshot, this.#replica, now);
    this.#goOn(now);
  }

  #goOn(now: number): void {
    this.#upkeep.resume(now);
    for (const { from, query } of this.#queries) this.#replica.receive(from, query);
    this.#queries = [];
  }

  #fails(kind: "failSnapshot" | "failRestore"): boolean {
    return this.world.faulty && this.world.random.chance(this.world.profile.faults[kind]);
  }

  #startLearner(): Learner {
    const { topology, firstInstance, digest } = this.world.profile;
    const options = {
      topology,
      quorums: quorumsOf(this.world),
      index: this.index,
      fetchAfterMs: timing.fetchAfterMs,
      ...(digest ? { digest: digestOf } : {}),
    };
    return new Learner(options, firstInstance);
  }

  #startUpkeep(now: number): Upkeep {
    const { topology, trimming, snapshotEvery, tailInstances } = this.world.profile;
    const everyCommands = trimming ? snapshotEvery : Number.POSITIVE_INFINITY;
    const unbounded = Number.POSITIVE_INFINITY;
    const policy = { everyCommands, everyBytes: unbounded, bytesMax: unbounded };
    return new Upkeep(
      { learners: topology.learners, index: this.index, policy, tailBytes: tailInstances },
      now,
    );
  }

  #startReplica(state?: ReplicaState): Replica {
    const { sessionTimeoutMs, sampleEvery } = this.world.profile;
    const host = {
      apply: (segment: CommandSegment, skip: number, firstInstance: number, timeMs: number) =>
        this.#apply(segment, skip, firstInstance, timeMs),
      query: () => this.#applied,
    };
    const samples = { digestOf: (result: Result) => this.#digestOf(result as number), every: sampleEvery };
    const { standsInFor } = this.#upkeep;
    return new Replica({ learner: this.index, host, sessionTimeoutMs, standsInFor, samples }, state);
  }

  /** Now and then it is that of another result: as if the state machine did not follow from its log alone. */
  #digestOf(result: number): number {
    const { world } = this;
    const isWrong = world.faulty && world.random.chance(world.profile.faults.wrongResult);
    world.checker.samples.onSample(this.index, isWrong ? `${result} wrong` : `${result}`);
    if (!isWrong) return result;
    world.counters.wrongResults += 1;
    world.checker.onWrongResult();
    return result + 1;
  }

  /** The state machine: a command's result is its position among all that were applied. */
  #apply(segment: CommandSegment, skip: number, firstInstance: number, timeMs: number): Results {
    const results: number[] = [];
    for (let position = skip; position < segment.count; position++) {
      const command = decodeCommand(segment.bytes, segment.skip + position);
      const instance = firstInstance + position - skip;
      this.#applied = this.world.checker.onApply(this.index, command, instance, timeMs);
      results.push(this.#applied);
    }
    // As of a state machine whose results are numbers in one piece: all that holds of the one must hold of the other.
    return segment.client % 2 === 0 ? results : Float64Array.from(results);
  }
}
