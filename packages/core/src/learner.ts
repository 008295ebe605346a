import { acceptedRanges, sliceEntry } from "./accepted-log.js";
import { assert } from "./assert.js";
import { type Ballot, compareBallots, noBallot, sameBallot } from "./ballot.js";
import { type Batch, sliceBatch } from "./batch.js";
import { endOf, InstanceRanges } from "./instance-ranges.js";
import { limits } from "./limits.js";
import type { AcceptedEntry, AcceptedMessage, Address, Envelope, Message } from "./messages.js";
import { type AcceptorSet, addAcceptor, type QuorumSystem } from "./quorum.js";
import { addressesOf, indexOf, type Topology } from "./roles.js";

export interface LearnerOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  /** How long a gap may stand before the acceptors are asked to tell again, in milliseconds. */
  readonly fetchAfterMs: number;
}

export interface LearnerReady {
  /** Values in the order of their instances, each instance once. */
  readonly chosen: readonly AcceptedEntry[];
  readonly send: readonly Envelope[];
}

/** Who has accepted these instances' values in one ballot. */
interface Tally {
  readonly firstInstance: number;
  readonly count: number;
  readonly voters: AcceptorSet;
  readonly batch: Batch;
}

interface BallotTallies {
  readonly ballot: Ballot;
  readonly tallies: InstanceRanges<Tally>;
}

const sliceTally = (tally: Tally, skip: number, count: number): Tally => ({
  firstInstance: tally.firstInstance + skip,
  count,
  voters: tally.voters,
  batch: sliceBatch(tally.batch, skip, count),
});

/**
 * Finds out what was chosen: it counts who has accepted, by ballot and instance, and hands values on in order.
 * Votes of different ballots never add up, even for equal values.
 *
 * Source: "Paxos Made Simple", section 2.3.
 */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #acceptors: readonly Address[];
  readonly #proposers: readonly Address[];
  #ballots: BallotTallies[] = [];
  /** Chosen, but something below is not known yet. */
  readonly #waiting = acceptedRanges();
  #chosenBelow: number;
  #seenEnd = 0;
  #trimmedBelow = 0;
  /** When the present gap is asked for; infinite while there is none. */
  #fetchAt = Number.POSITIVE_INFINITY;
  #reportedBelow = 0;
  #reportAt = Number.POSITIVE_INFINITY;
  #chosen: AcceptedEntry[] = [];
  #send: Envelope[] = [];

  /** Values below `chosenBelow` are known already, for instance from a snapshot. */
  constructor(options: LearnerOptions, chosenBelow = 0) {
    this.#options = options;
    this.#acceptors = addressesOf("acceptor", options.topology.acceptors);
    this.#proposers = addressesOf("proposer", options.topology.proposers);
    this.#chosenBelow = chosenBelow;
  }

  /** Every instance below is known to be chosen and was handed on. */
  get chosenBelow(): number {
    return this.#chosenBelow;
  }

  /** The acceptors have forgotten what is below: a learner that has not learned it needs a snapshot. */
  get trimmedBelow(): number {
    return this.#trimmedBelow;
  }

  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "accepted":
        return this.#onAccepted(indexOf("acceptor", from), message, now);
      case "trimmed":
        this.#trimmedBelow = Math.max(this.#trimmedBelow, message.trimmedBelow);
        return;
      default:
        assert(false, `a learner's protocol half is never sent ${message.type}`);
    }
  }

  /** Asks for what is missing and reports progress; call it when {@link deadline} has come. */
  tick(now: number): void {
    if (now >= this.#fetchAt) {
      this.#send.push({
        to: this.#acceptors,
        message: { type: "fetch", firstInstance: this.#chosenBelow },
      });
      this.#fetchAt = now + this.#options.fetchAfterMs;
    }
    if (now >= this.#reportAt) this.#report();
  }

  /** When {@link tick} wants to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    return Math.min(this.#fetchAt, this.#reportAt);
  }

  takeReady(): LearnerReady {
    const ready = { chosen: this.#chosen, send: this.#send };
    this.#chosen = [];
    this.#send = [];
    return ready;
  }

  #onAccepted(acceptor: number, message: AcceptedMessage, now: number): void {
    const { ballot, batch } = message;
    assert(acceptor >= 0, "only acceptors say Accepted");
    assert(batch !== null && batch.count === message.count, "a learner is told the values");
    const end = endOf(message);
    if (end <= this.#chosenBelow || end > this.#chosenBelow + limits.learnerAheadInstancesMax) return;
    this.#seenEnd = Math.max(this.#seenEnd, end);
    const skip = Math.max(0, this.#chosenBelow - message.firstInstance);
    const firstInstance = message.firstInstance + skip;
    const count = message.count - skip;
    const tallies = this.#talliesOf(ballot);
    tallies.put(
      {
        firstInstance,
        count,
        voters: addAcceptor(0, acceptor),
        batch: sliceBatch(batch, skip, count),
      },
      existing => ({ ...existing, voters: addAcceptor(existing.voters, acceptor) }),
    );
    for (const tally of tallies.from(firstInstance)) {
      if (tally.firstInstance >= end) break;
      if (!this.#options.quorums.isAcceptQuorum(tally.voters)) continue;
      this.#waiting.put({ ballot, ...rangeOf(tally), batch: tally.batch }, known => known);
    }
    this.#handOn(now);
  }

  #talliesOf(ballot: Ballot): InstanceRanges<Tally> {
    for (const known of this.#ballots) if (sameBallot(known.ballot, ballot)) return known.tallies;
    const tallies = new InstanceRanges<Tally>(sliceTally);
    this.#ballots.push({ ballot, tallies });
    return tallies;
  }

  /** Hands on what is chosen without a gap below it. */
  #handOn(now: number): void {
    const before = this.#chosenBelow;
    for (;;) {
      const next = this.#waiting.first();
      if (next === undefined || next.firstInstance > this.#chosenBelow) break;
      this.#waiting.shift();
      const skip = this.#chosenBelow - next.firstInstance;
      if (skip >= next.count) continue;
      this.#chosen.push(skip === 0 ? next : sliceEntry(next, skip, next.count - skip));
      this.#chosenBelow = endOf(next);
    }
    if (this.#chosenBelow > before) {
      for (const { tallies } of this.#ballots) tallies.dropBelow(this.#chosenBelow);
      this.#forgetOldBallots();
      if (this.#chosenBelow - this.#reportedBelow >= limits.progressInstancesMax) this.#report();
      else this.#reportAt = Math.min(this.#reportAt, now + limits.progressIntervalMs);
      this.#fetchAt = Number.POSITIVE_INFINITY;
    }
    if (this.#seenEnd > this.#chosenBelow) {
      this.#fetchAt = Math.min(this.#fetchAt, now + this.#options.fetchAfterMs);
    }
  }

  #forgetOldBallots(): void {
    if (this.#ballots.length === 1) return;
    let highest = noBallot;
    for (const { ballot } of this.#ballots) if (compareBallots(ballot, highest) > 0) highest = ballot;
    this.#ballots = this.#ballots.filter(
      ({ ballot, tallies }) => tallies.length > 0 || sameBallot(ballot, highest),
    );
  }

  #report(): void {
    this.#reportAt = Number.POSITIVE_INFINITY;
    if (this.#reportedBelow === this.#chosenBelow) return;
    this.#reportedBelow = this.#chosenBelow;
    this.#send.push({
      to: this.#proposers,
      message: { type: "progress", appliedBelow: this.#chosenBelow },
    });
  }

  /** Everything its future depends on, as plain data, but for when a tick is due; for the explorer. */
  dump(): unknown {
    return [
      this.#ballots.map(({ ballot, tallies }) => [ballot, [...tallies.from(0)]]),
      [...this.#waiting.from(0)],
      [this.#chosenBelow, this.#seenEnd, this.#trimmedBelow, this.#reportedBelow],
      [Number.isFinite(this.#fetchAt), Number.isFinite(this.#reportAt)],
    ];
  }
}

function rangeOf({ firstInstance, count }: { firstInstance: number; count: number }) {
  return { firstInstance, count };
}
