import { acceptedRanges, higherBallot } from "./accepted-log.js";
import { assert } from "./assert.js";
import { type Ballot, compareBallots, noBallot, sameProposer } from "./ballot.js";
import { type Batch, batchBytes } from "./batch.js";
import { endOf } from "./instance-ranges.js";
import { limits } from "./limits.js";
import type {
  AcceptedEntry,
  AcceptedMessage,
  AcceptMessage,
  Address,
  Envelope,
  FetchMessage,
  HeartbeatMessage,
  Message,
  PrepareMessage,
} from "./messages.js";
import { actorAddress, addressesOf, type Topology } from "./roles.js";

/** Until `until`, in milliseconds, only the proposer of `ballot` may prepare. */
export interface Lease {
  readonly ballot: Ballot;
  readonly until: number;
}

/** What an acceptor must not forget. Records of accepts and leases raise the promise to their ballot too. */
export type AcceptorRecord =
  | { readonly kind: "promise"; readonly ballot: Ballot }
  | { readonly kind: "accept"; readonly entry: AcceptedEntry; readonly leaseUntil: number }
  | { readonly kind: "lease"; readonly ballot: Ballot; readonly leaseUntil: number }
  | { readonly kind: "trim"; readonly below: number };

/** What an acceptor knows, as its storage gives it back after a restart. */
export interface AcceptorState {
  readonly promised: Ballot;
  readonly trimmedBelow: number;
  readonly accepted: readonly AcceptedEntry[];
  /** Undefined when storage does not know: the acceptor then waits as long as a lease can last. */
  readonly lease: Lease | undefined;
}

/** How much an acceptor says at once; see {@link limits}. The simulator sets them low. */
export interface AcceptorBounds {
  readonly promisePartBytesMax: number;
  readonly fetchBytesMax: number;
}

export interface AcceptorOptions {
  readonly topology: Topology;
  /** How long a lease lasts that a leader asks for, in milliseconds. */
  readonly leaseMs: number;
  readonly bounds?: AcceptorBounds;
  /** Can storage hold about so many bytes more? Asked before a value is accepted; promises and leases always fit. */
  readonly hasRoom?: (bytes: number) => boolean;
}

/** First make `persist` safe, then `send`: an answer that outlives its promise would be a lie. */
export interface AcceptorReady {
  readonly persist: readonly AcceptorRecord[];
  readonly send: readonly Envelope[];
}

const noLease: Lease = { ballot: noBallot, until: 0 };

/**
 * The memory of the protocol: it promises not to accept below a ballot, and accepts what is not below its promise.
 * For the time of a lease it does not even promise anything to others than the leader.
 *
 * Source: "Paxos Made Simple", section 2.2, phases 1b and 2b. Leases: Chandra, Griesemer, Redstone, "Paxos Made
 * Live", section 5.2.
 */
export class Acceptor {
  readonly #learners: readonly Address[];
  readonly #leaseMs: number;
  readonly #accepted = acceptedRanges();
  readonly #bounds: AcceptorBounds;
  readonly #hasRoom: (bytes: number) => boolean;
  #promised: Ballot;
  #trimmedBelow: number;
  #lease: Lease;
  /** Whom it tells a Promise in parts, and until when it waits for the next question; as good as a lease till then. */
  #telling: Lease = noLease;
  #persist: AcceptorRecord[] = [];
  #send: Envelope[] = [];

  /** `recovered` is what storage kept from an earlier life; leave it out only for an acceptor that never lived. */
  constructor(options: AcceptorOptions, recovered: AcceptorState | undefined, now: number) {
    this.#leaseMs = options.leaseMs;
    this.#bounds = options.bounds ?? limits;
    this.#hasRoom = options.hasRoom ?? (() => true);
    this.#learners = addressesOf("learner", options.topology.learners);
    this.#promised = recovered?.promised ?? noBallot;
    this.#trimmedBelow = recovered?.trimmedBelow ?? 0;
    const unknownLease = recovered !== undefined && recovered.lease === undefined;
    this.#lease = unknownLease
      ? { ballot: noBallot, until: now + options.leaseMs }
      : (recovered?.lease ?? noLease);
    for (const entry of recovered?.accepted ?? []) this.#accepted.put(entry, higherBallot);
  }

  get promised(): Ballot {
    return this.#promised;
  }

  get trimmedBelow(): number {
    return this.#trimmedBelow;
  }

  get lease(): Lease {
    return this.#lease;
  }

  /** `now` is sampled after the message was taken: a lease must not look longer gone than it is. */
  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "prepare":
        return this.#onPrepare(from, message, now);
      case "accept":
        return this.#onAccept(from, message);
      case "heartbeat":
        return this.#onHeartbeat(from, message);
      case "fetch":
        return this.#onFetch(from, message);
      default:
        assert(false, `an acceptor is never sent ${message.type}`);
    }
  }

  takeReady(): AcceptorReady {
    const ready = { persist: this.#persist, send: this.#send };
    this.#persist = [];
    this.#send = [];
    return ready;
  }

  #onPrepare(from: Address, { ballot, firstInstance, released }: PrepareMessage, now: number): void {
    const order = compareBallots(ballot, this.#promised);
    if (order < 0) return this.#refuse(from, ballot);
    if (order > 0) {
      // A refused Prepare changes nothing: whoever holds the lease must not notice that it came.
      if (this.#isLeasedToAnother(ballot, released, now))
        return this.#refuse(from, ballot, this.#lease.until);
      // A log that takes longer to tell than others wait would otherwise never be told to its end.
      const { until, ballot: told } = this.#telling;
      if (now < until && !sameProposer(ballot, told)) return this.#refuse(from, ballot, until);
      this.#promised = ballot;
      this.#persist.push({ kind: "promise", ballot });
    }
    this.#promise(from, ballot, firstInstance, now);
  }

  #isLeasedToAnother(ballot: Ballot, released: Ballot | null, now: number): boolean {
    const lease = this.#lease;
    if (now >= lease.until || sameProposer(ballot, lease.ballot)) return false;
    // Only its holder can give a lease up, by the name of its ballot.
    const isReleased =
      released !== null &&
      sameProposer(released, lease.ballot) &&
      compareBallots(lease.ballot, released) <= 0;
    return !isReleased;
  }

  /**
   * Says what it has accepted from there on, as much as fits into one message. The proposer asks for the rest. Parts
   * that are read at different times are one report all the same: nothing below the ballot is accepted any more.
   */
  #promise(to: Address, ballot: Ballot, firstInstance: number, now: number): void {
    const { trimmedBelow } = this;
    const accepted: AcceptedEntry[] = [];
    let bytes = 0;
    let continuesAt = -1;
    for (const entry of this.#accepted.from(firstInstance)) {
      bytes += weightOf(entry);
      if (accepted.length > 0 && bytes > this.#bounds.promisePartBytesMax) {
        continuesAt = entry.firstInstance;
        break;
      }
      accepted.push(entry);
    }
    this.#telling = continuesAt < 0 ? noLease : { ballot, until: now + this.#leaseMs };
    this.#send.push({
      to: [to],
      message: { type: "promise", ballot, firstInstance, trimmedBelow, accepted, continuesAt },
    });
  }

  #onAccept(from: Address, message: AcceptMessage): void {
    const { ballot, firstInstance, batch, source } = message;
    const order = compareBallots(ballot, this.#promised);
    if (order < 0 || firstInstance < this.#trimmedBelow) return this.#refuse(from, ballot);
    if (!this.#hasRoom(weightOf(message))) {
      // What all learners have applied may go, whoever says so: that makes room for the next time.
      this.#trim(message.trimBelow);
      return this.#refuse(from, ballot, 0, true);
    }
    // Accepting in a ballot promises it: otherwise a lower ballot could still be accepted afterwards.
    if (order > 0) this.#promised = ballot;
    const entry: AcceptedEntry = { ballot, firstInstance, count: batch.count, batch, source };
    this.#accepted.put(entry, higherBallot);
    const leaseUntil = this.#grant(ballot, message.leaseUntil);
    this.#persist.push({ kind: "accept", entry, leaseUntil });
    this.#tell(from, message, leaseUntil);
    this.#trim(message.trimBelow);
  }

  /** Learners are told the values, or with digests what stands for them; the leader needs no values. */
  #tell(leader: Address, message: AcceptMessage, leaseUntil: number): void {
    const { batch, source, distinguished } = message;
    const learners = distinguished < 0 ? this.#learners : [actorAddress("learner", distinguished)];
    const told = acceptedMessage(message, null, leaseUntil);
    if (source !== null) {
      this.#send.push({ to: [...learners, leader], message: told });
      return;
    }
    this.#send.push(
      { to: learners, message: acceptedMessage(message, batch, 0) },
      { to: [leader], message: told },
    );
  }

  #onHeartbeat(from: Address, { ballot, leaseUntil, round }: HeartbeatMessage): void {
    const order = compareBallots(ballot, this.#promised);
    if (order < 0) return this.#refuse(from, ballot);
    if (order > 0) this.#promised = ballot;
    const granted = this.#grant(ballot, leaseUntil);
    this.#persist.push({ kind: "lease", ballot, leaseUntil: granted });
    this.#send.push({ to: [from], message: { type: "granted", ballot, leaseUntil: granted, round } });
  }

  /** A lease only grows. Returns its end. */
  #grant(ballot: Ballot, leaseUntil: number): number {
    const until = Math.max(this.#lease.until, leaseUntil);
    this.#lease = { ballot, until };
    return until;
  }

  #trim(below: number): void {
    if (below <= this.#trimmedBelow) return;
    this.#trimmedBelow = below;
    this.#accepted.dropBelow(below);
    this.#persist.push({ kind: "trim", below });
  }

  #refuse(to: Address, ballot: Ballot, leaseUntil = 0, full = false): void {
    const { trimmedBelow, promised } = this;
    const message = { type: "refuse", ballot, promised, trimmedBelow, leaseUntil, full } as const;
    this.#send.push({ to: [to], message });
  }

  #onFetch(from: Address, { firstInstance }: FetchMessage): void {
    if (firstInstance < this.#trimmedBelow) {
      this.#send.push({ to: [from], message: { type: "trimmed", trimmedBelow: this.#trimmedBelow } });
    }
    let bytes = 0;
    for (const entry of this.#accepted.from(firstInstance)) {
      this.#send.push({
        to: [from],
        message: { type: "accepted", ...entry, leaseUntil: 0, distinguished: -1 },
      });
      bytes += weightOf(entry);
      if (bytes >= this.#bounds.fetchBytesMax) return;
    }
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    const telling = this.#leaseMs > 0 ? this.#telling : noLease;
    return [this.#promised, this.#lease, telling, this.#trimmedBelow, [...this.#accepted.from(0)]];
  }
}

/** About how many bytes an entry makes in a message. */
function weightOf({ batch }: Pick<AcceptedEntry, "batch">): number {
  return batchBytes(batch) + limits.entryOverheadBytes * (1 + batch.segments.length);
}

/** Field by field: spreading objects costs microseconds here, on the way of every batch. */
function acceptedMessage(accept: AcceptMessage, batch: Batch | null, leaseUntil: number): AcceptedMessage {
  const { ballot, firstInstance, source, distinguished } = accept;
  const { count } = accept.batch;
  return { type: "accepted", ballot, firstInstance, count, batch, source, leaseUntil, distinguished };
}

/**
 * Replays records onto a state: what storage of any kind must give back after a restart. The oldest entries come
 * first; a later one wins where they overlap, because an acceptor never accepts below its promise.
 */
export function recoverAcceptor(records: Iterable<AcceptorRecord>): AcceptorState {
  const accepted = acceptedRanges();
  let promised = noBallot;
  let trimmedBelow = 0;
  let lease = noLease;
  const raise = (ballot: Ballot) => {
    if (compareBallots(ballot, promised) > 0) promised = ballot;
  };
  for (const record of records) {
    switch (record.kind) {
      case "promise":
        raise(record.ballot);
        break;
      case "accept":
        raise(record.entry.ballot);
        lease = { ballot: record.entry.ballot, until: record.leaseUntil };
        if (endOf(record.entry) > trimmedBelow) accepted.put(record.entry, higherBallot);
        break;
      case "lease":
        raise(record.ballot);
        lease = { ballot: record.ballot, until: record.leaseUntil };
        break;
      case "trim":
        trimmedBelow = Math.max(trimmedBelow, record.below);
        accepted.dropBelow(trimmedBelow);
        break;
    }
  }
  return { promised, trimmedBelow, accepted: [...accepted.from(trimmedBelow)], lease };
}
