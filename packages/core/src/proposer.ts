import { acceptedRanges, higherBallot } from "./accepted-log.js";
import { assert } from "./assert.js";
import { type Ballot, ballotAbove, compareBallots, noBallot, sameBallot } from "./ballot.js";
import { type Batch, noopBatch, sliceBatch } from "./batch.js";
import { endOf, type InstanceRanges } from "./instance-ranges.js";
import type {
  AcceptedEntry,
  AcceptedMessage,
  Address,
  Envelope,
  Message,
  PromiseMessage,
  RefuseMessage,
} from "./messages.js";
import { ProposalQueue } from "./proposal-queue.js";
import { type AcceptorSet, addAcceptor, type QuorumSystem } from "./quorum.js";
import { addressesOf, clientAddress, indexOf, type Topology } from "./roles.js";

export interface ProposerOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  readonly index: number;
  /** From a counter that the process owns; never used twice (see {@link Ballot}). */
  readonly incarnation: number;
  /** `basic` runs both phases for every instance, `multi` runs phase 1 once for all that follow. */
  readonly mode: "basic" | "multi";
  readonly batch: { readonly commandsMax: number; readonly bytesMax: number };
  readonly pipeline: { readonly batchesMax: number };
  /** A message without enough answers is sent again after this many milliseconds. */
  readonly retransmitMs: number;
}

interface Following {
  readonly kind: "following";
}

/** Phase 1 is under way. */
interface Preparing {
  readonly kind: "preparing";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  /** By acceptor: the parts of its Promise that have come. */
  readonly promises: Map<number, PromiseMessage[]>;
  promised: AcceptorSet;
  sentAt: number;
}

/** An Accept that is not known to be chosen yet. */
interface InFlight {
  firstInstance: number;
  batch: Batch;
  accepted: AcceptorSet;
  chosen: boolean;
  sentAt: number;
}

/** Phase 1 is done for every instance from its first on. */
interface Leading {
  readonly kind: "leading";
  readonly ballot: Ballot;
  nextInstance: number;
  /** What phase 1 found, to be proposed again before anything new. */
  readonly recovered: AcceptedEntry[];
  readonly inFlight: InFlight[];
  /** In Basic Paxos a ballot proposes one new batch only. */
  proposed: boolean;
}

type State = Following | Preparing | Leading;

/**
 * Gets commands chosen: phase 1 finds out what may have been chosen before, phase 2 proposes it again and then
 * new batches for the instances that follow.
 *
 * Source: "Paxos Made Simple", section 2.2 (one instance) and section 3 (one Prepare for all instances).
 */
export class Proposer {
  readonly #options: ProposerOptions;
  readonly #acceptors: readonly Address[];
  readonly #queue: ProposalQueue;
  readonly #appliedBelow: number[];
  #state: State = { kind: "following" };
  /** The highest ballot heard of, own ones included. */
  #seen: Ballot = noBallot;
  /** Every instance below is known to be chosen. */
  #chosenBelow = 0;
  /** Every learner has applied what is below; acceptors have forgotten it. */
  #forgottenBelow = 0;
  #lastTimeMs = 0;
  #send: Envelope[] = [];

  constructor(options: ProposerOptions) {
    this.#options = options;
    this.#acceptors = addressesOf("acceptor", options.topology.acceptors);
    this.#appliedBelow = new Array<number>(options.topology.learners).fill(0);
    this.#queue = new ProposalQueue(options.batch);
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  /** The ballot this proposer leads or prepares in, or the highest that it heard of. */
  get ballot(): Ballot {
    return this.#state.kind === "following" ? this.#seen : this.#state.ballot;
  }

  get chosenBelow(): number {
    return this.#chosenBelow;
  }

  /** Commands that wait for a place in the pipeline. */
  get queuedCommands(): number {
    return this.#queue.commands;
  }

  /** Starts an attempt to lead: phase 1 for everything that a learner may still miss. */
  campaign(now: number): void {
    this.#prepare(this.#trimBelow(), now);
  }

  receive(from: Address, message: Message): void {
    switch (message.type) {
      case "propose":
        if (this.#state.kind === "following") this.#sendNotLeader([from]);
        else if (!this.#queue.push(from, message.segments)) this.#sendNotLeader([from]);
        return;
      case "promise":
        return this.#onPromise(indexOf("acceptor", from), message);
      case "accepted":
        return this.#onAccepted(indexOf("acceptor", from), message);
      case "refuse":
        return this.#onRefuse(message);
      case "progress": {
        const learner = indexOf("learner", from);
        this.#appliedBelow[learner] = Math.max(this.#appliedBelow[learner] ?? 0, message.appliedBelow);
        return;
      }
      default:
        assert(false, `a proposer is never sent ${message.type}`);
    }
  }

  /** Sends again what is unanswered for too long; call it when {@link deadline} has come. */
  tick(now: number): void {
    const state = this.#state;
    const late = now - this.#options.retransmitMs;
    if (state.kind === "preparing" && state.sentAt <= late) {
      state.sentAt = now;
      this.#sendPrepare(state);
    }
    if (state.kind !== "leading") return;
    for (const flight of state.inFlight) {
      if (flight.chosen || flight.sentAt > late) continue;
      flight.sentAt = now;
      this.#sendAccept(state, flight);
    }
  }

  /** When {@link tick} wants to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    const state = this.#state;
    if (state.kind === "preparing") return state.sentAt + this.#options.retransmitMs;
    if (state.kind === "following") return Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const flight of state.inFlight) if (!flight.chosen) earliest = Math.min(earliest, flight.sentAt);
    return earliest + this.#options.retransmitMs;
  }

  /** Fills the pipeline from what has been received, then gives out what is to be sent. */
  takeReady(now: number): { readonly send: readonly Envelope[] } {
    this.#fillPipeline(now);
    const send = this.#send;
    this.#send = [];
    return { send };
  }

  #prepare(firstInstance: number, now: number): void {
    const ballot = ballotAbove(this.#seen, this.#options.index, this.#options.incarnation);
    this.#seen = ballot;
    const state: Preparing = {
      kind: "preparing",
      ballot,
      firstInstance,
      promises: new Map(),
      promised: 0,
      sentAt: now,
    };
    this.#state = state;
    this.#sendPrepare(state);
  }

  #onPromise(acceptor: number, message: PromiseMessage): void {
    const state = this.#state;
    if (state.kind !== "preparing" || !sameBallot(state.ballot, message.ballot)) return;
    // A resent Prepare is answered anew, maybe in other parts: those of one answer agree on how many there are.
    let parts = state.promises.get(acceptor);
    if (parts === undefined || parts[0]?.parts !== message.parts) {
      parts = [];
      state.promises.set(acceptor, parts);
    }
    if (parts.some(({ part }) => part === message.part)) return;
    parts.push(message);
    if (parts.length < message.parts) return;
    state.promised = addAcceptor(state.promised, acceptor);
    if (this.#options.quorums.isPrepareQuorum(state.promised)) this.#lead(state);
  }

  /** Takes over what the quorum's acceptors have accepted: per instance the value of the highest ballot. */
  #lead(state: Preparing): void {
    let trimmedBelow = 0;
    const found = acceptedRanges();
    for (const parts of state.promises.values()) {
      if (parts.length < (parts[0]?.parts ?? 1)) continue;
      for (const part of parts) {
        trimmedBelow = Math.max(trimmedBelow, part.trimmedBelow);
        for (const entry of part.accepted) found.put(entry, higherBallot);
      }
    }
    const first = Math.max(state.firstInstance, trimmedBelow);
    found.dropBelow(first);
    this.#forget(trimmedBelow);
    this.#state = {
      kind: "leading",
      ballot: state.ballot,
      nextInstance: first,
      recovered: this.#withoutHoles(found, first),
      inFlight: [],
      proposed: false,
    };
  }

  #withoutHoles(found: InstanceRanges<AcceptedEntry>, first: number): AcceptedEntry[] {
    const entries: AcceptedEntry[] = [];
    let at = first;
    for (const entry of found.from(first)) {
      this.#lastTimeMs = Math.max(this.#lastTimeMs, entry.batch.timeMs);
      if (entry.firstInstance > at) {
        const count = entry.firstInstance - at;
        const batch = noopBatch(count, this.#lastTimeMs);
        entries.push({ ballot: noBallot, firstInstance: at, count, batch });
      }
      entries.push(entry);
      at = endOf(entry);
    }
    return entries;
  }

  #fillPipeline(now: number): void {
    const state = this.#state;
    if (state.kind !== "leading") return;
    while (state.inFlight.length < this.#options.pipeline.batchesMax) {
      const recovered = state.recovered.shift();
      if (recovered !== undefined) {
        this.#proposeAgain(state, recovered, now);
        continue;
      }
      if (this.#queue.commands === 0) return;
      if (this.#options.mode === "basic") {
        if (state.inFlight.length > 0) return;
        if (state.proposed) return this.#prepare(this.#chosenBelow, now);
        state.proposed = true;
      }
      this.#lastTimeMs = Math.max(this.#lastTimeMs, Math.floor(now));
      this.#propose(state, this.#queue.takeBatch(this.#lastTimeMs), now);
    }
  }

  /**
   * Proposes what phase 1 found, but for what has been trimmed in the meantime. What is known here to be chosen is
   * proposed too: a learner that missed it may find its votes split over ballots, none of which has a quorum left.
   */
  #proposeAgain(state: Leading, entry: AcceptedEntry, now: number): void {
    const skip = Math.max(0, this.#forgottenBelow - entry.firstInstance);
    if (skip >= entry.count) {
      state.nextInstance = endOf(entry);
      return;
    }
    state.nextInstance = entry.firstInstance + skip;
    this.#propose(state, sliceBatch(entry.batch, skip, entry.count - skip), now);
  }

  #propose(state: Leading, batch: Batch, now: number): void {
    const flight: InFlight = {
      firstInstance: state.nextInstance,
      batch,
      accepted: 0,
      chosen: false,
      sentAt: now,
    };
    state.nextInstance += batch.count;
    state.inFlight.push(flight);
    this.#sendAccept(state, flight);
  }

  #onAccepted(acceptor: number, message: AcceptedMessage): void {
    const state = this.#state;
    if (state.kind !== "leading" || !sameBallot(state.ballot, message.ballot)) return;
    const flight = state.inFlight.find(
      ({ firstInstance, batch }) =>
        message.firstInstance <= firstInstance && endOf(message) === firstInstance + batch.count,
    );
    if (flight === undefined) return;
    flight.accepted = addAcceptor(flight.accepted, acceptor);
    if (!this.#options.quorums.isAcceptQuorum(flight.accepted)) return;
    flight.chosen = true;
    this.#dropChosen(state);
  }

  #onRefuse({ ballot, promised, trimmedBelow }: RefuseMessage): void {
    if (compareBallots(promised, this.#seen) > 0) this.#seen = promised;
    this.#forget(trimmedBelow);
    const state = this.#state;
    if (state.kind === "following" || !sameBallot(state.ballot, ballot)) return;
    if (compareBallots(promised, state.ballot) > 0) this.#follow(state);
  }

  /** Another proposer has gone higher: whoever waits here is told, once. */
  #follow(state: Preparing | Leading): void {
    const clients = this.#queue.clear();
    if (state.kind === "leading") {
      for (const { batch } of state.inFlight) {
        for (const segment of batch.segments) {
          if (segment.kind !== "noop") clients.add(clientAddress(segment.client));
        }
      }
    }
    this.#state = { kind: "following" };
    if (clients.size > 0) this.#sendNotLeader([...clients]);
  }

  /** Everything below is chosen, and an acceptor has forgotten it: it must not be proposed any more. */
  #forget(below: number): void {
    if (below <= this.#forgottenBelow) return;
    this.#forgottenBelow = below;
    this.#chosenBelow = Math.max(this.#chosenBelow, below);
    const state = this.#state;
    if (state.kind !== "leading") return;
    for (const flight of state.inFlight) {
      const skip = below - flight.firstInstance;
      if (skip <= 0) continue;
      if (skip >= flight.batch.count) flight.chosen = true;
      else {
        flight.batch = sliceBatch(flight.batch, skip, flight.batch.count - skip);
        flight.firstInstance = below;
      }
    }
    this.#dropChosen(state);
  }

  #dropChosen(state: Leading): void {
    while (state.inFlight[0]?.chosen) {
      const { firstInstance, batch } = state.inFlight[0];
      this.#chosenBelow = Math.max(this.#chosenBelow, firstInstance + batch.count);
      state.inFlight.shift();
    }
  }

  /** What every learner has applied, as far as it is known here to be chosen. */
  #trimBelow(): number {
    return Math.min(this.#chosenBelow, ...this.#appliedBelow);
  }

  #sendPrepare({ ballot, firstInstance }: Preparing): void {
    this.#send.push({ to: this.#acceptors, message: { type: "prepare", ballot, firstInstance } });
  }

  #sendAccept({ ballot }: Leading, { firstInstance, batch }: InFlight): void {
    const trimBelow = this.#trimBelow();
    this.#send.push({
      to: this.#acceptors,
      message: { type: "accept", ballot, firstInstance, batch, trimBelow },
    });
  }

  #sendNotLeader(to: readonly Address[]): void {
    this.#send.push({ to, message: { type: "notLeader", ballot: this.#seen } });
  }

  /** Everything its future depends on, as plain data, but for when a tick is due; for the explorer. */
  dump(): unknown {
    const state = this.#state;
    const promises = state.kind === "preparing" ? [...state.promises] : [];
    const inFlight = state.kind === "leading" ? state.inFlight.map(flight => ({ ...flight, sentAt: 0 })) : [];
    return [
      { ...state, promises, inFlight, sentAt: 0 },
      this.#queue.dump(),
      this.#appliedBelow,
      [this.#seen, this.#chosenBelow, this.#forgottenBelow, this.#lastTimeMs],
    ];
  }
}
