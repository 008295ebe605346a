import {
  type Address,
  actorAddress,
  type DigestMismatch,
  type Envelope,
  endOf,
  Learner,
  type Message,
  type QueryMessage,
  Replica,
  type ReplicaOptions,
  ThresholdQuorums,
  Upkeep,
} from "@synod/core";
import { proposerName } from "./actor-status.js";
import { Backlog, type Learned } from "./backlog.js";
import { digestOfBatch } from "./batch-digest.js";
import { monotonicMs } from "./clock.js";
import type { StateMachineEngine, StateMachineSpec } from "./engine.js";
import { runtimeLimits } from "./limits.js";
import { routine } from "./mailbox/index.js";
import type { ActorMetrics } from "./metrics/actor-metrics.js";
import { LearnerMeter } from "./metrics/learner-meter.js";
import { digestOfResult } from "./result-digest.js";
import type { Notify, RoleHost, RoleInspection, RoleSpec, RoleStatus, SnapshotStatus } from "./role-host.js";
import {
  latestSnapshot,
  newestSnapshot,
  PublishedWatch,
  type Snapshot,
  type SnapshotRegion,
  SnapshotTurn,
  SnapshotWriter,
} from "./snapshots/index.js";
import { Restoration } from "./snapshots/restoration.js";
import { SnapshotTaking } from "./snapshots/snapshot-taking.js";
import type { DepthTracker } from "./traffic.js";

/** What a learner does besides learning. It applies nothing while it takes a snapshot or restores one. */
type Activity =
  | { readonly kind: "applying" }
  /** The others have been told that it will pause, and learn of it while it goes on until then, in milliseconds. */
  | { readonly kind: "aboutToPause"; readonly until: number }
  | { readonly kind: "taking"; readonly taking: SnapshotTaking }
  | { readonly kind: "restoring"; readonly restoration: Restoration };

/** A learner with its replica and state machine: what was learned waits here until it is applied. */
export class LearnerHost implements RoleHost {
  readonly #notify: Notify;
  readonly #learner: Learner;
  readonly #upkeep: Upkeep;
  readonly #stateMachine: StateMachineSpec;
  readonly #regions: readonly SnapshotRegion[];
  readonly #ownRegion: SnapshotRegion;
  readonly #writer: SnapshotWriter;
  readonly #turn: SnapshotTurn;
  readonly #watch: PublishedWatch;
  readonly #replicaOptions: Omit<ReplicaOptions, "host">;
  readonly #depths: DepthTracker | undefined;
  readonly #meter: LearnerMeter;
  readonly #digestMismatches: { count: number; last: DigestMismatch | null } = { count: 0, last: null };
  readonly #chosenDepths: [instance: number, depth: number][] = [];
  #engine: StateMachineEngine;
  #replica: Replica;
  #activity: Activity = { kind: "applying" };
  readonly #backlog = new Backlog();
  /** How long it took to write the last snapshot, in milliseconds. */
  #takingMs = Number.POSITIVE_INFINITY;
  #takingSince = 0;
  /** Another learner was asked to answer while this one takes a snapshot. */
  #gaveNotice = false;
  #restoringSince = 0;
  #unsent: Envelope[] = [];
  #toldTrimBelow = 0;
  /** Another learner answers in its place until what it has missed is applied. */
  #isBehind = false;
  /** They are answered when all mail is read, which may have lain there, and when no snapshot is being restored. */
  #queries: { readonly from: Address; readonly query: QueryMessage }[] = [];

  /** `engine` has applied nothing; if a former life left a snapshot behind, it is replaced. */
  constructor(
    spec: RoleSpec,
    engine: StateMachineEngine,
    metrics: ActorMetrics,
    depths: DepthTracker | undefined,
    notify: Notify,
  ) {
    const { topology, index, options } = spec;
    const now = monotonicMs();
    this.#meter = new LearnerMeter(metrics, actorAddress("learner", index));
    this.#notify = notify;
    this.#engine = engine;
    this.#depths = depths;
    this.#stateMachine = spec.stateMachine;
    this.#regions = spec.snapshotRegions;
    this.#ownRegion = spec.snapshotRegions[index] as SnapshotRegion;
    this.#writer = new SnapshotWriter(this.#ownRegion);
    this.#turn = new SnapshotTurn(spec.snapshotRegions, index, now);
    this.#watch = new PublishedWatch(spec.snapshotRegions);
    this.#upkeep = new Upkeep(
      {
        learners: topology.learners,
        index,
        policy: options.snapshot,
        tailBytes: options.snapshot.tailBytes,
      },
      now,
    );
    this.#replicaOptions = {
      learner: index,
      sessionTimeoutMs: options.sessionTimeoutMs,
      standsInFor: this.#upkeep.standsInFor,
      samples: { digestOf: digestOfResult },
    };
    this.#replica = new Replica({ ...this.#replicaOptions, host: engine });
    const newest = newestSnapshot(this.#regions, 1);
    const learnerOptions = {
      topology,
      quorums: new ThresholdQuorums(topology.acceptors, options.quorums),
      index,
      fetchAfterMs: runtimeLimits.fetchAfterMs,
      ...(options.digest ? { digest: digestOfBatch } : {}),
    };
    this.#learner = new Learner(learnerOptions, newest?.instance);
    this.#learner.start(now);
    if (newest !== undefined) this.#restore(newest.instance, now);
  }

  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "query":
        this.#meter.asked();
        this.#keepQuery(from, message);
        break;
      case "sample":
      case "standIn":
        this.#upkeep.receive(from, message, this.#replica, now);
        break;
      default:
        // What it cannot keep is as good as lost on the way: it asks for it again.
        if (this.#isFull && carriesValues(message)) return;
        if (message.type === "accepted") this.#meter.heard(endOf(message), now);
        else if (message.type === "accept") {
          this.#meter.heard(message.firstInstance + message.batch.count, now);
        }
        this.#learner.receive(from, message, now);
    }
    // A trace wants the moment at which the quorum was complete, before later votes come.
    if (this.#depths !== undefined) this.#applyAll(now);
  }

  tick(now: number): void {
    if (!this.#isFull) this.#learner.tick(now);
    this.#upkeep.tick(this.#replica, now);
  }

  get deadline(): number {
    const learnerAt = this.#isFull ? Number.POSITIVE_INFINITY : this.#learner.deadline;
    const activity = this.#activity;
    const pauseAt = activity.kind === "aboutToPause" ? activity.until : Number.POSITIVE_INFINITY;
    const retryAt = activity.kind === "restoring" ? activity.restoration.retryAt : Number.POSITIVE_INFINITY;
    return Math.min(learnerAt, this.#upkeep.deadline, pauseAt, retryAt);
  }

  /** What is chosen waits where it is as long as nobody asks here, nor is fed or answered, nor has this learner asked. */
  get unhurried(): number {
    const isAsked = this.#replica.hasWaitingQueries || this.#queries.length > 0;
    const { hasFollowers, isFetching } = this.#learner;
    const isAwaited = isAsked || isFetching || hasFollowers || this.#upkeep.standsInFor.size > 0;
    const never = routine.granted | routine.vote;
    return isAwaited || this.#depths !== undefined ? never : never | routine.silent;
  }

  /** There is something to do that no message and no deadline brings. */
  get isBusy(): boolean {
    switch (this.#activity.kind) {
      case "taking":
        return true;
      case "restoring":
        return this.#activity.restoration.isUnderWay;
      default:
        return this.#backlog.first !== undefined;
    }
  }

  flush(now: number): readonly Envelope[] {
    this.#takeLearned(now);
    const before = this.#activity;
    this.#go(now);
    if (this.#activity.kind !== "restoring") this.#askReplica();
    const { send, divergences, trimBelow } = this.#upkeep.takeReady(this.#replica, now);
    for (const { instance, learners } of divergences) {
      const names = learners.map(learner => actorAddress("learner", learner));
      this.#notify({ type: "divergence", instance, learners: names });
    }
    this.#learner.published(trimBelow);
    // What it has to say of that must not wait for the next turn, which may be long in coming.
    if (before !== this.#activity || trimBelow > this.#toldTrimBelow) this.#takeLearned(now);
    this.#toldTrimBelow = trimBelow;
    const answers = this.#replica.takeReady().send;
    if (this.#unsent.length === 0 && send.length === 0) return answers;
    const all = [...answers, ...send, ...this.#unsent];
    this.#unsent = [];
    return all;
  }

  status(): RoleStatus {
    const { chosenBelow } = this.#learner;
    const { appliedBelow } = this.#replica;
    const digestMismatches = { ...this.#digestMismatches };
    const published = latestSnapshot(this.#ownRegion);
    const snapshot = published === undefined ? null : statusOf(published);
    const followers = [...this.#learner.followers(monotonicMs())];
    const replicas = followers.map(([name, applied]) => ({ name, appliedBelow: applied }));
    return {
      state: this.#state,
      ballot: null,
      chosenBelow,
      appliedBelow,
      leader: proposerName(this.#learner.leader.proposer),
      sessions: this.#replica.sessions,
      backlogBytes: this.#backlog.bytes,
      digestMismatches,
      snapshot,
      replicas,
    };
  }

  inspect(stateDigest: boolean): RoleInspection {
    return {
      appliedCommands: this.#replica.appliedCommands,
      appliedBelow: this.#replica.appliedBelow,
      ...(stateDigest ? { stateDigest: this.#engine.stateDigest() } : {}),
      ...(this.#depths === undefined
        ? {}
        : { depths: this.#chosenDepths.slice(-runtimeLimits.tracedFrames) }),
    };
  }

  get #state(): string {
    switch (this.#activity.kind) {
      case "taking":
        return "taking a snapshot";
      case "restoring":
        return "restoring a snapshot";
      default:
        return "learning";
    }
  }

  get #isFull(): boolean {
    return this.#backlog.bytes > runtimeLimits.learnerBacklogBytes;
  }

  #takeLearned(now: number): void {
    const { chosen, send, mismatches, snapshotWanted } = this.#learner.takeReady();
    if (send.length > 0) this.#unsent.push(...send);
    for (const mismatch of mismatches) {
      this.#digestMismatches.count += 1;
      this.#digestMismatches.last = mismatch;
      this.#meter.mismatched();
    }
    for (const entry of chosen) this.#backlog.push(entry, now);
    this.#meter.learned(this.#learner.chosenBelow, now);
    const { kind } = this.#activity;
    if (snapshotWanted === undefined || kind === "taking" || kind === "restoring") return;
    this.#restore(snapshotWanted, now);
  }

  #go(now: number): void {
    const activity = this.#activity;
    switch (activity.kind) {
      case "applying":
        this.#applySome(now);
        this.#noteSnapshots();
        if (!this.#upkeep.isSnapshotDue(now)) return;
        if (this.#mayTakeSnapshot(now)) this.#prepareSnapshot(now);
        else this.#upkeep.postpone(now + runtimeLimits.snapshotAgainMs);
        return;
      case "aboutToPause":
        this.#applySome(now);
        if (now < activity.until) return;
        if (this.#mayTakeSnapshot(now)) this.#takeSnapshot(now);
        else this.#activity = { kind: "aboutToPause", until: now + runtimeLimits.snapshotAgainMs };
        return;
      case "taking":
        return this.#goOnTaking(activity.taking, now);
      case "restoring":
        return this.#goOnRestoring(activity.restoration, now);
    }
  }

  /** As much as fits into a few milliseconds: the mailbox and the event loop have their turns too. */
  #applySome(now: number): void {
    const until = now + runtimeLimits.eventLoopTurnMs;
    for (let next = this.#backlog.first; next !== undefined; next = this.#backlog.first) {
      this.#backlog.shift();
      this.#apply(next, now);
      const appliedAt = monotonicMs();
      this.#meter.applied(next, this.#replica.appliedCommands, appliedAt);
      if (appliedAt >= until) break;
    }
    if (this.#backlog.first !== undefined) return;
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#upkeep.resume(now);
  }

  #apply({ entry, bytes }: Learned, now: number): void {
    this.#replica.apply(entry);
    this.#upkeep.applied(entry, bytes, this.#replica, now);
    if (this.#depths === undefined) return;
    for (let offset = 0; offset < entry.count; offset++) {
      const instance = entry.firstInstance + offset;
      this.#chosenDepths.push([instance, this.#depths.at(instance)]);
    }
    // Half at a time: dropping the oldest from an array moves all others.
    const surplus = this.#chosenDepths.length - runtimeLimits.tracedFrames;
    if (surplus >= runtimeLimits.tracedFrames) this.#chosenDepths.splice(0, surplus);
  }

  #applyAll(now: number): void {
    this.#takeLearned(now);
    const { kind } = this.#activity;
    if (kind === "taking" || kind === "restoring") return;
    while (this.#backlog.first !== undefined) this.#applySome(now);
  }

  /** It counts from the newest one, whoever has published it. */
  #noteSnapshots(): void {
    this.#watch.look(({ region, instance, bytes }) =>
      this.#upkeep.noted({ learner: region, instance, bytes }),
    );
  }

  /** Not while another learner writes one, or somebody reads what would be overwritten, unless the log presses. */
  #mayTakeSnapshot(now: number): boolean {
    const isFree = !this.#writer.isHeld(now) && this.#turn.take(now);
    return isFree || this.#upkeep.isPressing;
  }

  /** Whom a pause will hardly hold up need not be answered by another learner meanwhile. */
  #prepareSnapshot(now: number): void {
    const isLong = this.#takingMs > runtimeLimits.shortPauseMs;
    this.#upkeep.pause(now, isLong);
    this.#gaveNotice = isLong;
    if (isLong) this.#activity = { kind: "aboutToPause", until: now + runtimeLimits.pauseNoticeMs };
    else this.#takeSnapshot(now);
  }

  #takeSnapshot(now: number): void {
    this.#takingSince = now;
    const taking = new SnapshotTaking(this.#writer, this.#replica.snapshot(), this.#engine);
    this.#activity = { kind: "taking", taking };
    this.#goOnTaking(taking, now);
  }

  #goOnTaking(taking: SnapshotTaking, now: number): void {
    this.#turn.renew(now);
    if (!this.#gaveNotice && now - this.#takingSince > runtimeLimits.shortPauseMs) {
      this.#gaveNotice = true;
      this.#upkeep.pause(now);
    }
    try {
      if (!taking.step(now + runtimeLimits.eventLoopTurnMs)) return;
      this.#upkeep.published(taking.instance, taking.bytes);
      this.#takingMs = monotonicMs() - this.#takingSince;
      this.#meter.snapshotTaken({ instance: taking.instance, bytes: taking.bytes, ms: this.#takingMs });
    } catch (error) {
      this.#upkeep.snapshotFailed(now);
      this.#snapshotFailed("snapshot", error);
    }
    this.#turn.giveBack(now);
    this.#resume(now);
  }

  #restore(atLeast: number, now: number): void {
    this.#upkeep.pause(now);
    this.#restoringSince = now;
    this.#turn.giveBack(now);
    const restoration = new Restoration(this.#regions, this.#stateMachine, atLeast, now);
    this.#activity = { kind: "restoring", restoration };
    this.#learner.pin(restoration.instance, now);
  }

  #goOnRestoring(restoration: Restoration, now: number): void {
    const before = restoration.instance;
    const restored = restoration.poll(now, this.#learner.trimmedBelow, error => {
      this.#snapshotFailed("restore", error);
    });
    if (restoration.instance !== before) this.#learner.pin(restoration.instance, now);
    if (restored === undefined) return;
    const { engine, state, learner, bytes } = restored;
    this.#engine = engine;
    this.#replica = new Replica({ ...this.#replicaOptions, host: engine }, state);
    this.#learner.restored(state.appliedBelow, now);
    this.#learner.pin(undefined, now);
    const ms = now - this.#restoringSince;
    this.#meter.snapshotRestored({ instance: state.appliedBelow, bytes, ms }, state.appliedCommands);
    this.#backlog.dropBelow(state.appliedBelow);
    this.#upkeep.restored({ learner, instance: state.appliedBelow, bytes }, this.#replica, now);
    this.#resume(now);
  }

  #snapshotFailed(phase: "snapshot" | "restore", error: unknown): void {
    this.#meter.snapshotFailed(phase, error);
    this.#notify({ type: "snapshotFailed", phase, reason: reasonOf(error) });
  }

  #resume(now: number): void {
    this.#activity = { kind: "applying" };
    this.#isBehind = true;
    this.#applySome(now);
  }

  #askReplica(): void {
    if (this.#queries.length === 0) return;
    for (const { from, query } of this.#queries) this.#replica.receive(from, query);
    this.#queries = [];
  }

  #keepQuery(from: Address, query: QueryMessage): void {
    this.#queries.push({ from, query });
    if (this.#queries.length > runtimeLimits.waitingQueriesMax) this.#queries.shift();
  }
}

function carriesValues({ type }: Message): boolean {
  return type === "accepted" || type === "accept" || type === "chosen";
}

function statusOf({ instance, commands, bytes }: Snapshot): SnapshotStatus {
  return { instance, commands, bytes };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
