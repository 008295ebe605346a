import {
  Acceptor,
  type Address,
  actorAddress,
  type Ballot,
  type DigestMismatch,
  type Envelope,
  type Message,
  Proposer,
  sameBallot,
  ThresholdQuorums,
  type Topology,
} from "@synod/core";
import { proposerName } from "./actor-status.js";
import { digestOfBatch } from "./batch-digest.js";
import { monotonicMs } from "./clock.js";
import { loadStateMachine, StateMachineEngine, type StateMachineSpec } from "./engine.js";
import type { Divergence, SnapshotFailed } from "./events.js";
import { LearnerHost } from "./learner-host.js";
import { runtimeLimits } from "./limits.js";
import { routine } from "./mailbox/index.js";
import type { ActorMetrics, Counter } from "./metrics/actor-metrics.js";
import type { Histogram } from "./metrics/histogram.js";
import { LeaderMeter } from "./metrics/leader-meter.js";
import type { ResolvedOptions } from "./options.js";
import type { SnapshotRegion } from "./snapshots/index.js";
import { type AcceptorStorage, HeapStorage, SharedStorage, type StorageUsage } from "./storage/index.js";
import type { DepthTracker } from "./traffic.js";

/** What an actor says of its role: see {@link ActorStatus}. */
export interface RoleStatus {
  readonly state: string;
  readonly ballot: Ballot | null;
  readonly chosenBelow: number | null;
  readonly appliedBelow: number | null;
  /**
   * Who leads, as far as the role knows: a proposer, the holder of the lease that an acceptor has granted, the one that
   * a learner has heard of last. Null when it knows of nobody.
   */
  readonly leader: string | null;
  /** A proposer: commands that wait there for a place in the pipeline, or for a leader. */
  readonly queuedCommands?: number;
  /** A leader: for how much longer nobody else can be elected, in milliseconds; 0 without a lease. */
  readonly leaseLeftMs?: number;
  /** A leader: the learner that acceptors tell, or null when they tell all. */
  readonly distinguishedLearner?: string | null;
  /** An acceptor: what it retains, and the most that it may, in bytes. */
  readonly storage?: StorageUsage;
  /** A learner: the snapshot that it has published last, in any of its lives; null when there is none. */
  readonly snapshot?: SnapshotStatus | null;
  /** A learner: sessions that are open. */
  readonly sessions?: number;
  /** A learner: what is chosen and waits to be applied, in bytes, about. */
  readonly backlogBytes?: number;
  /** A learner: the replicas in users' threads that were heard of lately, and what is applied there. */
  readonly replicas?: readonly ReplicaStatus[];
  /** A learner: values that were not what their digests say, the latest of them. None of them was used. */
  readonly digestMismatches?: { readonly count: number; readonly last: DigestMismatch | null };
}

/** A replica in a user's thread: everything below `appliedBelow` is applied there, as far as it has said. */
export interface ReplicaStatus {
  readonly name: Address;
  readonly appliedBelow: number;
}

/** What a snapshot holds: everything below `instance`, in `bytes` bytes. */
export interface SnapshotStatus {
  readonly instance: number;
  readonly commands: number;
  readonly bytes: number;
}

export interface RoleInspection {
  readonly appliedCommands?: number;
  readonly appliedBelow?: number;
  readonly stateDigest?: string;
  readonly depths?: [instance: number, depth: number][];
}

/** What a role's host has to tell the supervisor, which makes events of it. */
export type RoleNotice =
  | { readonly type: "leads"; readonly ballot: Ballot }
  | ({ readonly type: "divergence" } & Divergence)
  | ({ readonly type: "snapshotFailed" } & Omit<SnapshotFailed, "actor">);

export type Notify = (notice: RoleNotice) => void;

/** One role of core, as an actor's loop drives it: persist, then send, then apply is kept in here. */
export interface RoleHost {
  receive(from: Address, message: Message, now: number): void;
  tick(now: number): void;
  readonly deadline: number;
  /** There is something to do that neither a message nor the deadline brings: its thread must not sleep. */
  readonly isBusy: boolean;
  /**
   * Kinds of routine that it reads in time when it wakes up for something else, and those that it is never sent: bits of
   * `routine`. Actors that share a thread are woken for what any of them does not name.
   */
  readonly unhurried: number;
  /** Does what the role wants done and returns what is to be sent. */
  flush(now: number): readonly Envelope[];
  status(): RoleStatus;
  inspect(stateDigest: boolean): RoleInspection;
}

export interface RoleSpec {
  readonly role: "proposer" | "acceptor" | "learner";
  readonly index: number;
  readonly incarnation: number;
  readonly topology: Topology;
  readonly options: ResolvedOptions;
  readonly stateMachine: StateMachineSpec;
  /** The memory of an acceptor whose storage is shared; made once, and used by one life after the other. */
  readonly storageRegion?: SharedArrayBuffer;
  /** The memory of all learners' snapshots, by their indexes; a learner writes its own and reads all. */
  readonly snapshotRegions: readonly SnapshotRegion[];
}

export async function openRole(
  spec: RoleSpec,
  metrics: ActorMetrics,
  depths: DepthTracker | undefined,
  notify: Notify,
): Promise<RoleHost> {
  switch (spec.role) {
    case "proposer":
      return new ProposerHost(spec, metrics, notify);
    case "acceptor":
      return new AcceptorHost(spec, openStorage(spec), metrics);
    case "learner":
      return new LearnerHost(
        spec,
        new StateMachineEngine(await loadStateMachine(spec.stateMachine)),
        metrics,
        depths,
        notify,
      );
  }
}

/** @throws SynodError `STORAGE_FAILED` when what a former life left behind is damaged */
function openStorage({ storageRegion, options }: RoleSpec): AcceptorStorage {
  if (storageRegion === undefined) return new HeapStorage(options.storageBytesMax);
  return new SharedStorage(storageRegion);
}

export class ProposerHost implements RoleHost {
  readonly #proposer: Proposer;
  readonly #notify: Notify;
  readonly isBusy = false;
  /** Basic Paxos has a ballot for each instance, which changes no leader. */
  readonly #isBasic: boolean;
  /** The ballot in which it last said that it leads, until it follows. */
  #ledIn: Ballot | undefined;
  readonly #meter: LeaderMeter;

  constructor({ topology, index, incarnation, options }: RoleSpec, metrics: ActorMetrics, notify: Notify) {
    this.#meter = new LeaderMeter(metrics);
    this.#notify = notify;
    this.#isBasic = options.protocol === "basic-paxos";
    const { leaseMs, distinguishedLearner, digest } = options;
    this.#proposer = new Proposer({
      topology,
      quorums: new ThresholdQuorums(topology.acceptors, options.quorums),
      index,
      incarnation,
      mode: this.#isBasic ? "basic" : "multi",
      batch: options.batch,
      pipeline: { batchesMax: options.pipeline.batchesMax, bytesMax: runtimeLimits.pipelineBytes },
      retransmitMs: runtimeLimits.retransmitMs,
      leaseMs,
      distinguishedLearner,
      ...(digest ? { digest: digestOfBatch } : {}),
      random: Math.random,
    });
    this.#proposer.start(monotonicMs());
  }

  /** False when this proposer does not lead. */
  transferLeadership(to: number, now: number): boolean {
    return this.#proposer.transferLeadership(to, now);
  }

  receive(from: Address, message: Message, now: number): void {
    this.#proposer.receive(from, message, now);
    if (message.type === "propose") this.#meter.queued(this.#proposer.queuedCommands, now);
  }

  tick(now: number): void {
    this.#proposer.tick(now);
  }

  get deadline(): number {
    return this.#proposer.deadline;
  }

  get unhurried(): number {
    const { expectsVotes, expectsNews } = this.#proposer;
    const votes = expectsVotes ? routine.silent : routine.silent | routine.vote;
    return expectsNews ? votes : votes | routine.heartbeat | routine.granted;
  }

  flush(now: number): readonly Envelope[] {
    const queuedBefore = this.#proposer.queuedCommands;
    const { send } = this.#proposer.takeReady(now);
    const { state } = this.#proposer;
    this.#meter.flushed(this.#proposer, queuedBefore, send, now);
    if (state === "leading") this.#noticeLead();
    else if (state === "following") this.#ledIn = undefined;
    return send;
  }

  status(): RoleStatus {
    const now = monotonicMs();
    const { state, ballot, chosenBelow, leaseUntil, distinguishedLearner, queuedCommands } = this.#proposer;
    const leader = proposerName(this.#proposer.leaderAt(now));
    const status = { state, ballot, chosenBelow, appliedBelow: null, leader, queuedCommands };
    if (state !== "leading") return status;
    return {
      ...status,
      leaseLeftMs: Math.max(0, leaseUntil - now),
      distinguishedLearner: distinguishedLearner < 0 ? null : actorAddress("learner", distinguishedLearner),
    };
  }

  inspect(): RoleInspection {
    return {};
  }

  #noticeLead(): void {
    const { ballot } = this.#proposer;
    if (this.#ledIn !== undefined && (this.#isBasic || sameBallot(ballot, this.#ledIn))) return;
    this.#ledIn = ballot;
    this.#notify({ type: "leads", ballot });
  }
}

class AcceptorHost implements RoleHost {
  readonly #acceptor: Acceptor;
  readonly #storage: AcceptorStorage;
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly isBusy = false;
  readonly unhurried = routine.granted | routine.vote | routine.silent;
  readonly #acceptedBatches: Counter;
  readonly #acceptedCommands: Counter;
  readonly #acceptMs: Histogram;
  readonly #leaseMs: number;
  /** What it has accepted since the last flush, in bytes. */
  #unsafeBytes = 0;

  constructor({ topology, options }: RoleSpec, storage: AcceptorStorage, metrics: ActorMetrics) {
    this.#storage = storage;
    this.#acceptedBatches = metrics.counter("acceptedBatches");
    this.#acceptedCommands = metrics.counter("acceptedCommands");
    this.#acceptMs = metrics.histogram("acceptMs");
    const { leaseMs } = options;
    this.#leaseMs = leaseMs;
    const hasRoom = (bytes: number): boolean => {
      if (!storage.hasRoom(this.#unsafeBytes + bytes)) return false;
      this.#unsafeBytes += bytes;
      return true;
    };
    this.#acceptor = new Acceptor({ topology, leaseMs, hasRoom }, storage.recover(), monotonicMs());
  }

  receive(from: Address, message: Message, now: number): void {
    // An Accept says until when the lease is asked for, and so when it left. Without a lease it says nothing.
    if (message.type === "accept" && message.leaseUntil > 0) {
      this.#acceptMs.record(now - (message.leaseUntil - this.#leaseMs));
    }
    this.#acceptor.receive(from, message, now);
  }

  tick(): void {}

  flush(): readonly Envelope[] {
    const { persist, send } = this.#acceptor.takeReady();
    if (persist.length > 0) this.#storage.persist(persist);
    for (const record of persist) {
      if (record.kind !== "accept") continue;
      this.#acceptedBatches.add(1);
      this.#acceptedCommands.add(record.entry.count);
    }
    this.#unsafeBytes = 0;
    return send;
  }

  status(): RoleStatus {
    const { promised, lease } = this.#acceptor;
    const storage = this.#storage.usage;
    const leader = monotonicMs() < lease.until ? proposerName(lease.ballot.proposer) : null;
    return { state: "accepting", ballot: promised, chosenBelow: null, appliedBelow: null, leader, storage };
  }

  inspect(): RoleInspection {
    return {};
  }
}
