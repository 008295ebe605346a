import type { Address, Envelope, Message } from "../messages.js";
import type { Checker } from "./checker.js";
import type { Operations } from "./operations.js";
import type { Profile } from "./profile.js";
import type { Random } from "./random.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** What happened in a run, by kind: a run of many seeds should see each of them. */
export const counterNames = [
  "elections",
  "timeouts",
  "duels",
  "leases",
  "leaseRefusals",
  "transfers",
  "forwards",
  "drops",
  "duplicates",
  "crashes",
  "freezes",
  "stalls",
  "isolations",
  "cuts",
  "splits",
  "slices",
  "parts",
  "fetches",
  "stuckLearners",
  "announcements",
  "replacedLearners",
  "mismatches",
  "fills",
  "noops",
  "trims",
  "gaps",
  "redirects",
  "retransmissions",
  "sequenceResends",
  "sessions",
  "keepAlives",
  "expiries",
  "commands",
  "answers",
  "leaseReads",
  "roundReads",
  "snapshots",
  "failedSnapshots",
  "postponedSnapshots",
  "restores",
  "failedRestores",
  "snapshotsWanted",
  "standIns",
  "answersForOthers",
  "wrongResults",
  "divergences",
  "fullRefusals",
  "follows",
  "feeds",
  "feederChanges",
  "stuckObservers",
  "observerRestores",
  "syncs",
  "lateSyncs",
] as const;
export type CounterName = (typeof counterNames)[number];
export type Counters = Record<CounterName, number>;

export function noCounters(): Counters {
  return Object.fromEntries(counterNames.map(name => [name, 0])) as Counters;
}

/** What the hosts of a run share. */
export interface World {
  readonly profile: Profile;
  readonly checker: Checker;
  readonly operations: Operations;
  readonly counters: Counters;
  readonly random: Random;
  readonly snapshots: SnapshotStore;
  /** False once the faults have stopped. */
  readonly faulty: boolean;
  /** Virtual time, in milliseconds. An actor may be given an earlier one: it was frozen after it looked. */
  readonly now: number;
  /** Has this client's session come through the faults, and so must stay? */
  mustLive(host: Host): boolean;
  /** First sequence number of every session. */
  readonly firstSequence: number;
  send(host: Host, envelopes: readonly Envelope[]): void;
  /** Ends a host between two of its steps; it starts again later. */
  crash(host: Host): void;
}

/** An actor: it hands messages and time to its role, and does what the role says is to be done. */
export interface Host {
  readonly address: Address;
  readonly role: "proposer" | "acceptor" | "learner" | "client" | "observer";
  readonly index: number;
  receive(from: Address, message: Message, now: number): void;
  tick(now: number): void;
  readonly deadline: number;
  /** What it knew is lost but for what was persisted. */
  crash(): void;
  /** Takes what is ready: persists, sends, applies. */
  flush(now: number): void;
  /** Starts again with nothing but what was persisted. */
  restart(now: number): void;
}
