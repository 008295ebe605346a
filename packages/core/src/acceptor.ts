import { acceptedRanges, higherBallot } from "./accepted-log.js";
import { assert } from "./assert.js";
import { type Ballot, compareBallots, noBallot } from "./ballot.js";
import { batchBytes } from "./batch.js";
import { endOf } from "./instance-ranges.js";
import { limits } from "./limits.js";
import type {
  AcceptedEntry,
  AcceptMessage,
  Address,
  Envelope,
  FetchMessage,
  Message,
  PrepareMessage,
} from "./messages.js";
import { addressesOf, type Topology } from "./roles.js";

/** What an acceptor must not forget; an accept record raises the promise to its ballot too. */
export type AcceptorRecord =
  | { readonly kind: "promise"; readonly ballot: Ballot }
  | { readonly kind: "accept"; readonly entry: AcceptedEntry }
  | { readonly kind: "trim"; readonly below: number };

/** What an acceptor knows, as its storage gives it back after a restart. */
export interface AcceptorState {
  readonly promised: Ballot;
  readonly trimmedBelow: number;
  readonly accepted: readonly AcceptedEntry[];
}

/** How much an acceptor says at once; see {@link limits}. The simulator sets them low. */
export interface AcceptorBounds {
  readonly promisePartBytesMax: number;
  readonly fetchBytesMax: number;
}

/** First make `persist` safe, then `send`: an answer that outlives its promise would be a lie. */
export interface AcceptorReady {
  readonly persist: readonly AcceptorRecord[];
  readonly send: readonly Envelope[];
}

/**
 * The memory of the protocol: it promises not to accept below a ballot, and accepts what is not below its promise.
 *
 * Source: "Paxos Made Simple", section 2.2, phases 1b and 2b.
 */
export class Acceptor {
  readonly #learners: readonly Address[];
  readonly #accepted = acceptedRanges();
  readonly #bounds: AcceptorBounds;
  #promised: Ballot;
  #trimmedBelow: number;
  #persist: AcceptorRecord[] = [];
  #send: Envelope[] = [];

  /** `recovered` is what storage kept from an earlier life; leave it out only for an acceptor that never lived. */
  constructor(topology: Topology, recovered?: AcceptorState, bounds: AcceptorBounds = limits) {
    this.#bounds = bounds;
    this.#learners = addressesOf("learner", topology.learners);
    this.#promised = recovered?.promised ?? noBallot;
    this.#trimmedBelow = recovered?.trimmedBelow ?? 0;
    for (const entry of recovered?.accepted ?? []) this.#accepted.put(entry, higherBallot);
  }

  get promised(): Ballot {
    return this.#promised;
  }

  get trimmedBelow(): number {
    return this.#trimmedBelow;
  }

  /** The first instance above every accepted one. */
  get acceptedEnd(): number {
    return Math.max(this.#accepted.end(), this.#trimmedBelow);
  }

  receive(from: Address, message: Message): void {
    switch (message.type) {
      case "prepare":
        return this.#onPrepare(from, message);
      case "accept":
        return this.#onAccept(from, message);
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

  #onPrepare(from: Address, { ballot, firstInstance }: PrepareMessage): void {
    const order = compareBallots(ballot, this.#promised);
    if (order < 0) return this.#refuse(from, ballot);
    if (order > 0) {
      this.#promised = ballot;
      this.#persist.push({ kind: "promise", ballot });
    }
    this.#promise(from, ballot, firstInstance);
  }

  #promise(to: Address, ballot: Ballot, firstInstance: number): void {
    const chunks: AcceptedEntry[][] = [[]];
    let bytes = 0;
    for (const entry of this.#accepted.from(firstInstance)) {
      const entryBytes = batchBytes(entry.batch);
      if (bytes > 0 && bytes + entryBytes > this.#bounds.promisePartBytesMax) {
        chunks.push([]);
        bytes = 0;
      }
      chunks.at(-1)?.push(entry);
      bytes += entryBytes;
    }
    chunks.forEach((accepted, part) => {
      this.#send.push({
        to: [to],
        message: {
          type: "promise",
          ballot,
          firstInstance,
          trimmedBelow: this.#trimmedBelow,
          part,
          parts: chunks.length,
          accepted,
        },
      });
    });
  }

  #onAccept(from: Address, message: AcceptMessage): void {
    const { ballot, firstInstance, batch } = message;
    const order = compareBallots(ballot, this.#promised);
    if (order < 0 || firstInstance < this.#trimmedBelow) return this.#refuse(from, ballot);
    // Accepting in a ballot promises it: otherwise a lower ballot could still be accepted afterwards.
    if (order > 0) this.#promised = ballot;
    const entry: AcceptedEntry = { ballot, firstInstance, count: batch.count, batch };
    this.#accepted.put(entry, higherBallot);
    this.#persist.push({ kind: "accept", entry });
    this.#send.push(
      { to: this.#learners, message: { type: "accepted", ...entry } },
      { to: [from], message: { type: "accepted", ballot, firstInstance, count: batch.count, batch: null } },
    );
    this.#trim(message.trimBelow);
  }

  #trim(below: number): void {
    if (below <= this.#trimmedBelow) return;
    this.#trimmedBelow = below;
    this.#accepted.dropBelow(below);
    this.#persist.push({ kind: "trim", below });
  }

  #refuse(to: Address, ballot: Ballot): void {
    this.#send.push({
      to: [to],
      message: { type: "refuse", ballot, promised: this.#promised, trimmedBelow: this.#trimmedBelow },
    });
  }

  #onFetch(from: Address, { firstInstance }: FetchMessage): void {
    if (firstInstance < this.#trimmedBelow) {
      this.#send.push({ to: [from], message: { type: "trimmed", trimmedBelow: this.#trimmedBelow } });
    }
    let bytes = 0;
    for (const entry of this.#accepted.from(firstInstance)) {
      this.#send.push({ to: [from], message: { type: "accepted", ...entry } });
      bytes += batchBytes(entry.batch);
      if (bytes >= this.#bounds.fetchBytesMax) return;
    }
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return [this.#promised, this.#trimmedBelow, [...this.#accepted.from(0)]];
  }
}

/**
 * Replays records onto a state: what storage of any kind must give back after a restart. The oldest entries come
 * first; a later one wins where they overlap, because an acceptor never accepts below its promise.
 */
export function recoverAcceptor(records: Iterable<AcceptorRecord>): AcceptorState {
  const accepted = acceptedRanges();
  let promised = noBallot;
  let trimmedBelow = 0;
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
        if (endOf(record.entry) > trimmedBelow) accepted.put(record.entry, higherBallot);
        break;
      case "trim":
        trimmedBelow = Math.max(trimmedBelow, record.below);
        accepted.dropBelow(trimmedBelow);
        break;
    }
  }
  return { promised, trimmedBelow, accepted: [...accepted.from(trimmedBelow)] };
}
