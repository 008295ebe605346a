import { type Ballot, noBallot } from "./ballot.js";
import type { Segment } from "./batch.js";
import type { Flights } from "./flights.js";
import type { Grants } from "./grants.js";
import { endOf, type InstanceRanges } from "./instance-ranges.js";
import type { AcceptedEntry } from "./messages.js";
import type { AcceptorSet } from "./quorum.js";
import type { Repair } from "./repair.js";

interface Following {
  readonly kind: "following";
}

/** Phase 1 is under way. */
export interface Preparing {
  readonly kind: "preparing";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  /** By acceptor that has answered: where the rest of its Promise begins; -1 when it is complete. */
  readonly promises: Map<number, number>;
  /** Acceptors whose Promise is complete. */
  promised: AcceptorSet;
  /** What was under way here or was accepted, also by acceptors that have not told everything: the highest ballots. */
  readonly found: InstanceRanges<AcceptedEntry>;
  /** Everything below is chosen, and forgotten by an acceptor. */
  trimmedBelow: number;
  /** Acceptors that have granted a lease to another, and when the last of these leases ends. */
  leased: AcceptorSet;
  leasedUntil: number;
  sentAt: number;
  /** What this proposer had under way in an earlier ballot: proposed again where phase 1 finds nothing. */
  readonly carried: readonly AcceptedEntry[];
  /** What of it only this proposer may know of. */
  readonly own: readonly Segment[];
  /** Until when the lease holds that it had in that ballot, in milliseconds; in the past without one. */
  readonly leaseUntil: number;
  /** The ballot of the leader that has handed over. */
  readonly released: Ballot | null;
}

/** Phase 1 is done for every instance from its first on. */
export interface Leading {
  readonly kind: "leading";
  readonly ballot: Ballot;
  /** Where its phase 1 began: everything below was known to be chosen, and was left out. */
  readonly firstInstance: number;
  nextInstance: number;
  /** What phase 1 found, to be proposed again before anything new. */
  readonly recovered: AcceptedEntry[];
  /** Something that was left out is to be proposed again. */
  repair: Repair | undefined;
  readonly flights: Flights;
  readonly grants: Grants;
  /** Acceptors that have promised a higher ballot to somebody. */
  refused: AcceptorSet;
  /** Acceptors that had no room for a value, and have accepted nothing since. */
  full: AcceptorSet;
  /** Of heartbeats; the next one gets the next number. */
  round: number;
  /** In Basic Paxos a ballot proposes one new batch only. */
  proposed: boolean;
  /** A round of reads was answered in this ballot: it is the turn of what waits to be proposed. */
  hasAnsweredReads: boolean;
  /** Who is to lead next: nothing new is proposed, no read is answered. */
  successor: { readonly index: number; readonly waitUntil: number } | undefined;
}

export type State = Following | Preparing | Leading;

/** The end of everything that was proposed or found in phase 1. */
export function readBelow({ nextInstance, recovered }: Leading): number {
  const last = recovered.at(-1);
  return last === undefined ? nextInstance : Math.max(nextInstance, endOf(last));
}

/** What a proposer has under way, or would propose again, for a later ballot. */
export function carriedFrom(state: State): readonly AcceptedEntry[] {
  switch (state.kind) {
    case "following":
      return [];
    case "preparing":
      return state.carried;
    case "leading":
      return [
        ...state.flights.asEntries(),
        ...state.recovered.map(entry => ({ ...entry, ballot: noBallot, source: null })),
      ];
  }
}

/** Batches that were never found by phase 1, and so may be known to nobody else. */
export function ownFrom(state: State): readonly Segment[] {
  switch (state.kind) {
    case "following":
      return [];
    case "preparing":
      return state.own;
    case "leading":
      return state.flights.newSegments();
  }
}

/** Until when nobody else can be elected, for a later ballot of the same proposer. */
export function leaseUntilOf(state: State): number {
  switch (state.kind) {
    case "following":
      return Number.NEGATIVE_INFINITY;
    case "preparing":
      return state.leaseUntil;
    case "leading":
      return state.grants.leaseUntil;
  }
}

/** Everything that the future depends on, as plain data, but for when a tick is due; for the explorer. */
export function dumpOf(state: State): unknown {
  switch (state.kind) {
    case "following":
      return state;
    case "preparing":
      return {
        ...state,
        promises: [...state.promises],
        found: [...state.found.from(0)],
        leaseUntil: `${state.leaseUntil}`,
        sentAt: 0,
      };
    case "leading":
      return {
        ...state,
        repair: state.repair && { ...state.repair, found: [...state.repair.found.from(0)], sentAt: 0 },
        flights: state.flights.dump(),
        grants: state.grants.dump(),
      };
  }
}
