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
import { digestOfBatch } from "./batch-digest.js";
import { monotonicMs } from "./clock.js";
import { loadStateMachine, StateMachineEngine, type StateMachineSpec } from "./engine.js";
import type { Divergence, SnapshotFailed } from "./events.js";
import { LearnerHost } from "./learner-host.js";
import { type ResolvedOptions, runtimeLimits } from "./options.js";
import type { SnapshotRegion } from "./snapshots/index.js";
import { type AcceptorStorage, HeapStorage, SharedStorage, type StorageUsage } from "./storage/index.js";
import type { DepthTracker } from "./traffic.js";

/** What an actor says of its role: see {@link ActorStatus}. */
export interface RoleStatus {
  readonly state: string;
  readonly ballot: Ballot | null;
  readonly chosenBelow: number | null;
  readonly appliedBelow: number | null;
  /** A leader: for how much longer nobody else can be elected, in milliseconds; 0 without a lease. */
  readonly leaseLeftMs?: number;
  /** A leader: the learner that acceptors tell, or null when they tell all. */
  readonly distinguishedLearner?: string | null;
  /** An acceptor: what it retains, and the most that it may, in bytes. */
  readonly storage?: StorageUsage;
  /** A learner: the snapshot that it has published last, in any of its lives; null when there is none. */
  readonly snapshot?: SnapshotStatus | null;
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
  depths: DepthTracker | undefined,
  notify: Notify,
): Promise<RoleHost> {
  switch (spec.role) {
    case "proposer":
      return new ProposerHost(spec, notify);
    case "acceptor":
      return new AcceptorHost(spec, openStorage(spec));
    case "learner":
      return new LearnerHost(
        spec,
        new StateMachineEngine(await loadStateMachine(spec.stateMachine)),
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

  constructor({ topology, index, incarnation, options }: RoleSpec, notify: Notify) {
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
  }

  tick(now: number): void {
    this.#proposer.tick(now);
  }

  get deadline(): number {
    return this.#proposer.deadline;
  }

  flush(now: number): readonly Envelope[] {
    const { send } = this.#proposer.takeReady(now);
    const { state } = this.#proposer;
    if (state === "leading") this.#noticeLead();
    else if (state === "following") this.#ledIn = undefined;
    return send;
  }

  status(): RoleStatus {
    const { state, ballot, chosenBelow, leaseUntil, distinguishedLearner } = this.#proposer;
    const status = { state, ballot, chosenBelow, appliedBelow: null };
    if (state !== "leading") return status;
    return {
      ...status,
      leaseLeftMs: Math.max(0, leaseUntil - monotonicMs()),
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
  /** What it has accepted since the last flush, in bytes. */
  #unsafeBytes = 0;

  constructor({ topology, options }: RoleSpec, storage: AcceptorStorage) {
    this.#storage = storage;
    const { leaseMs } = options;
    const hasRoom = (bytes: number): boolean => {
      if (!storage.hasRoom(this.#unsafeBytes + bytes)) return false;
      this.#unsafeBytes += bytes;
      return true;
    };
    this.#acceptor = new Acceptor({ topology, leaseMs, hasRoom }, storage.recover(), monotonicMs());
  }

  receive(from: Address, message: Message, now: number): void {
    this.#acceptor.receive(from, message, now);
  }

  tick(): void {}

  flush(): readonly Envelope[] {
    const { persist, send } = this.#acceptor.takeReady();
    if (persist.length > 0) this.#storage.persist(persist);
    this.#unsafeBytes = 0;
    return send;
  }

  status(): RoleStatus {
    const { promised } = this.#acceptor;
    const storage = this.#storage.usage;
    return { state: "accepting", ballot: promised, chosenBelow: null, appliedBelow: null, storage };
  }

  inspect(): RoleInspection {
    return {};
  }
}
