import { acceptedRanges, higherBallot } from "./accepted-log.js";
import { assert } from "./assert.js";
import { type Ballot, ballotAbove, compareBallots, noBallot, sameBallot } from "./ballot.js";
import { type Batch, type Segment, sliceBatch } from "./batch.js";
import { BatchSize, batchesUnderWay } from "./batch-size.js";
import { DistinguishedLearner } from "./distinguished-learner.js";
import { Election } from "./election.js";
import { type Flight, Flights } from "./flights.js";
import { Grants } from "./grants.js";
import { endOf } from "./instance-ranges.js";
import { limits } from "./limits.js";
import type {
  AcceptedEntry,
  AcceptedMessage,
  Address,
  Envelope,
  HeartbeatMessage,
  Message,
  ProgressMessage,
  PromiseMessage,
  ProposeMessage,
  RefuseMessage,
} from "./messages.js";
import { addPromise, continuesAt, mergePromises } from "./phase-one.js";
import { ProposalQueue } from "./proposal-queue.js";
import type { ProposerOptions } from "./proposer-options.js";
import {
  carriedFrom,
  dumpOf,
  type Leading,
  leaseUntilOf,
  ownFrom,
  type Preparing,
  readBelow,
  type State,
} from "./proposer-state.js";
import { addAcceptor, hasAcceptor, withoutAcceptors } from "./quorum.js";
import { ReadRequests } from "./read-requests.js";
import { addToRepair, repaired, startRepair } from "./repair.js";
import { actorAddress, addressesOf, clientAddress, indexOf } from "./roles.js";
import { TrimRule } from "./trim-rule.js";

interface ToldLearners {
  readonly chosenBelow: number;
  readonly distinguishedLearner: number;
  readonly at: number;
}

/**
 * Gets commands chosen: phase 1 finds out what may have been chosen before, phase 2 proposes it again and then
 * new batches for the instances that follow. One proposer leads at a time, as long as its lease is renewed.
 *
 * Source: "Paxos Made Simple", section 2.2 (one instance) and section 3 (one Prepare for all instances).
 */
export class Proposer {
  readonly #options: ProposerOptions;
  readonly #acceptors: readonly Address[];
  readonly #learners: readonly Address[];
  readonly #others: readonly Address[];
  readonly #queue = new ProposalQueue();
  readonly #batchSize: BatchSize;
  readonly #reads = new ReadRequests();
  readonly #election: Election;
  readonly #distinguished: DistinguishedLearner;
  readonly #trimming: TrimRule;
  #state: State = { kind: "following" };
  /** The highest ballot heard of, own ones included. */
  #seen: Ballot = noBallot;
  /** Every instance below is known to be chosen. */
  #chosenBelow = 0;
  /** Acceptors have forgotten what is below. */
  #forgottenBelow = 0;
  #lastTimeMs = 0;
  /** When a leader says again that it leads, and when it last did. */
  #heartbeatAt: number;
  #heartbeatSentAt = Number.NEGATIVE_INFINITY;
  /** It has proposed or was asked something since. */
  #isActive = false;
  /** What learners were told last, and when. */
  #toldLearners: ToldLearners | undefined;
  #send: Envelope[] = [];

  constructor(options: ProposerOptions) {
    const { topology, index, leaseMs, random } = options;
    assert(leaseMs > 0 || !options.distinguishedLearner, "only heartbeats replace a distinguished learner");
    this.#options = options;
    this.#batchSize = new BatchSize(options.batch);
    this.#acceptors = addressesOf("acceptor", topology.acceptors);
    this.#learners = addressesOf("learner", topology.learners);
    this.#others = addressesOf("proposer", topology.proposers).filter((_, other) => other !== index);
    this.#election = new Election({ index, leaseMs, random });
    const stallMs = Math.max(leaseMs, limits.learnerStallMsMin);
    this.#distinguished = new DistinguishedLearner(topology.learners, stallMs);
    this.#trimming = new TrimRule(topology.learners);
    this.#heartbeatAt = leaseMs > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
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

  /** Index of the proposer that leads, as far as this one knows; -1 when nobody does. */
  leaderAt(now: number): number {
    return this.#state.kind === "leading" ? this.#options.index : (this.#leader(now)?.proposer ?? -1);
  }

  /**
   * Something waits for the next heartbeat of a leader, or for an acceptor to grant one. Otherwise it is soon enough to
   * read them whenever this proposer is told something else, or its {@link deadline} comes: it reads all of them first.
   */
  get expectsNews(): boolean {
    const state = this.#state;
    if (state.kind === "preparing" || this.#reads.length > 0) return true;
    if (state.kind === "leading") return this.leaseUntil <= this.#heartbeatSentAt;
    return this.#queue.commands > 0 || this.#election.isAwaited;
  }

  /**
   * Something waits for what is under way to be chosen. Otherwise it is soon enough to read votes as
   * {@link expectsNews} has it: whoever is to be answered is answered by a learner.
   */
  get expectsVotes(): boolean {
    const state = this.#state;
    if (state.kind !== "leading" || this.#options.mode === "basic") return true;
    const isChanging = state.successor !== undefined || state.repair !== undefined;
    return this.#queue.commands > 0 || this.#reads.length > 0 || state.recovered.length > 0 || isChanging;
  }

  /** Commands that wait for a place in the pipeline. */
  get queuedCommands(): number {
    return this.#queue.commands;
  }

  /** Before this time no other proposer can have been elected, in milliseconds; 0 without a lease. */
  get leaseUntil(): number {
    const state = this.#state;
    return state.kind === "leading" && state.successor === undefined ? state.grants.leaseUntil : 0;
  }

  /** Index of the learner that acceptors tell; -1 when they tell all. */
  get distinguishedLearner(): number {
    return this.#options.distinguishedLearner ? this.#distinguished.index : -1;
  }

  /** The proposer lives: from now on it stands for election when nobody leads. */
  start(now: number): void {
    this.#election.start(now);
  }

  /** Starts an attempt to lead: phase 1 for everything that is not known to be chosen. */
  campaign(now: number): void {
    this.#prepare(this.#chosenBelow, now);
  }

  /**
   * Hands over: proposes nothing more, waits until what is under way is chosen, at most for a lease, then gives up
   * its ballot for that proposer. Returns false when it does not lead.
   */
  transferLeadership(to: number, now: number): boolean {
    const state = this.#state;
    if (state.kind !== "leading" || to === this.#options.index) return false;
    state.successor ??= { index: to, waitUntil: now + this.#options.leaseMs };
    return true;
  }

  /** `now` is sampled after the message was taken. */
  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "propose":
        return this.#onPropose(from, message, now);
      case "promise":
        return this.#onPromise(indexOf("acceptor", from), message, now);
      case "accepted":
        return this.#onAccepted(indexOf("acceptor", from), message);
      case "refuse":
        return this.#onRefuse(indexOf("acceptor", from), message, now);
      case "heartbeat":
        return this.#onHeartbeat(message, now);
      case "granted": {
        const state = this.#state;
        if (state.kind !== "leading" || !sameBallot(state.ballot, message.ballot)) return;
        state.grants.granted(indexOf("acceptor", from), message.leaseUntil, message.round);
        return;
      }
      case "release":
        return this.#onRelease(message.ballot, now);
      case "read":
        return this.#onRead(from, message.id, now);
      case "progress":
        return this.#onProgress(indexOf("learner", from), message, now);
      default:
        assert(false, `a proposer is never sent ${message.type}`);
    }
  }

  /** Sends again what is unanswered for too long, and stands for election; call it when {@link deadline} has come. */
  tick(now: number): void {
    const state = this.#state;
    const { retransmitMs } = this.#options;
    switch (state.kind) {
      case "following":
        if (now >= this.#election.at) this.campaign(now);
        return;
      case "preparing":
        if (now < state.sentAt + retransmitMs) return;
        state.sentAt = now;
        return this.#sendPrepare(state);
      case "leading":
        if (now >= repairAt(state, retransmitMs)) this.#sendRepair(state, now);
        for (const flight of state.flights.unanswered) {
          if (now < flight.sentAt + retransmitMs) continue;
          flight.sentAt = now;
          this.#sendAccept(state, flight, now);
        }
    }
  }

  /** When {@link tick} and then {@link takeReady} want to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    const state = this.#state;
    const { retransmitMs } = this.#options;
    if (state.kind === "following") return this.#election.at;
    if (state.kind === "preparing") return state.sentAt + retransmitMs;
    return Math.min(
      state.flights.oldestSentAt + retransmitMs,
      repairAt(state, retransmitMs),
      this.#heartbeatAt,
      this.#lingerUntil(state),
      state.successor?.waitUntil ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Fills the pipeline from what has been received, then gives out what is to be sent. */
  takeReady(now: number): { readonly send: readonly Envelope[] } {
    if (this.#state.kind === "leading") this.#lead(this.#state, now);
    const send = this.#send;
    this.#send = [];
    return { send };
  }

  #lead(state: Leading, now: number): void {
    if (state.successor === undefined) this.#answerReads(state, now);
    // Also under full load, when the deadline is never waited for.
    const wantsRound = this.#reads.wantsRound && state.successor === undefined;
    if (now >= this.#heartbeatAt || wantsRound) this.#sendHeartbeat(state, now);
    this.#fillPipeline(state, now);
    if (state.successor !== undefined) this.#handOver(state, state.successor, now);
  }

  #onPropose(from: Address, { segments, forwarded }: ProposeMessage, now: number): void {
    const leader = this.#leader(now);
    if (leader !== undefined && !forwarded) {
      this.#forward(leader, segments);
      return this.#sendNotLeader([from], leader.proposer, true);
    }
    // Without a leader it waits here for the next one: maybe this proposer itself.
    if (leader === undefined && this.#queue.push(segments, forwarded, now)) return;
    this.#sendNotLeader(clientsOf(segments), leader?.proposer ?? -1, false);
  }

  /** The ballot of another proposer that leads, as far as is known here; nobody does who was overtaken. */
  #leader(now: number): Ballot | undefined {
    const leader = this.#state.kind === "following" ? this.#election.leader(now) : undefined;
    return leader !== undefined && compareBallots(leader, this.#seen) >= 0 ? leader : undefined;
  }

  #forward(leader: Ballot, segments: readonly Segment[]): void {
    const to = [actorAddress("proposer", leader.proposer)];
    this.#send.push({ to, message: { type: "propose", segments, forwarded: true } });
  }

  #prepare(firstInstance: number, now: number, released: Ballot | null = null): void {
    const ballot = ballotAbove(this.#seen, this.#options.index, this.#options.incarnation);
    this.#seen = ballot;
    const carried = carriedFrom(this.#state);
    const found = acceptedRanges();
    for (const entry of carried) found.put(entry, higherBallot);
    const state: Preparing = {
      kind: "preparing",
      ballot,
      firstInstance,
      promises: new Map(),
      promised: 0,
      found,
      trimmedBelow: 0,
      leased: 0,
      leasedUntil: 0,
      sentAt: now,
      carried,
      own: ownFrom(this.#state),
      leaseUntil: leaseUntilOf(this.#state),
      released,
    };
    this.#state = state;
    this.#sendPrepare(state);
  }

  #onPromise(acceptor: number, message: PromiseMessage, now: number): void {
    const state = this.#state;
    if (state.kind === "leading") return this.#onRepair(state, acceptor, message);
    if (state.kind !== "preparing" || !sameBallot(state.ballot, message.ballot)) return;
    if (!addPromise(state, acceptor, message)) return;
    if (this.#options.quorums.isPrepareQuorum(state.promised)) return this.#takeOver(state, now);
    if (message.continuesAt < 0) return;
    state.sentAt = now;
    this.#sendPrepare(state, [acceptor]);
  }

  /** Takes over what the quorum's acceptors have accepted. */
  #takeOver(state: Preparing, now: number): void {
    const { firstInstance, recovered, trimmedBelow, timeMs } = mergePromises(state, this.#lastTimeMs);
    this.#lastTimeMs = timeMs;
    this.#forget(trimmedBelow);
    this.#state = {
      kind: "leading",
      ballot: state.ballot,
      firstInstance,
      nextInstance: firstInstance,
      repair: undefined,
      recovered,
      flights: new Flights(this.#options.quorums),
      grants: new Grants(this.#options.quorums, state.leaseUntil),
      refused: 0,
      full: 0,
      round: 0,
      proposed: false,
      hasAnsweredReads: false,
      successor: undefined,
    };
    if (this.#options.mode === "multi") {
      this.#heartbeatAt = this.#options.leaseMs > 0 ? now : Number.POSITIVE_INFINITY;
      this.#distinguished.restart(now);
      this.#toldLearners = undefined;
    }
    for (const { from, id } of this.#reads.takeAll()) this.#onRead(from, id, now);
  }

  #fillPipeline(state: Leading, now: number): void {
    const { batch, mode } = this.#options;
    while (this.#hasRoom(state)) {
      const recovered = state.recovered.shift();
      if (recovered !== undefined) {
        this.#proposeAgain(state, recovered, now);
        continue;
      }
      if (this.#queue.commands === 0 || state.successor !== undefined) return;
      if (mode === "multi" && this.#waitsForMore(state, now)) return;
      if (mode === "basic") {
        // A read's round must be answered in the ballot that it was sent in. Then a batch has its turn.
        const readsHaveTheTurn = this.#reads.length > 0 && !state.hasAnsweredReads;
        if (state.flights.length > 0 || readsHaveTheTurn || state.repair !== undefined) return;
        if (state.proposed) return this.#prepare(this.#chosenBelow, now);
        state.proposed = true;
      }
      this.#lastTimeMs = Math.max(this.#lastTimeMs, Math.floor(now));
      const { commandsMax, bytesMax } = batch;
      const caps = { commandsWanted: this.#commandsWanted(state), commandsMax, bytesMax };
      this.#propose(state, state.nextInstance, this.#queue.takeBatch(this.#lastTimeMs, caps), true, now);
    }
  }

  /** May one more batch be under way? One alone always may, however large it is. */
  #hasRoom({ flights }: Leading): boolean {
    const { batchesMax, bytesMax = Number.POSITIVE_INFINITY } = this.#options.pipeline;
    return flights.length === 0 || (flights.length < batchesMax && flights.bytes < bytesMax);
  }

  #commandsWanted({ flights }: Leading): number {
    return this.#batchSize.wanted(this.#queue.commands + flights.commands);
  }

  /** A batch that is not full lingers; and when enough are under way, it grows until one of them is chosen. */
  #waitsForMore(state: Leading, now: number): boolean {
    const { bytesMax, lingerMs, adaptive } = this.#options.batch;
    const { commands, bytes, waitsSince } = this.#queue;
    if (commands >= this.#commandsWanted(state) || bytes >= bytesMax) return false;
    return now < waitsSince + lingerMs || (adaptive && state.flights.length >= batchesUnderWay);
  }

  /** When a batch that is not full has waited long enough; infinite when it waits for something else. */
  #lingerUntil(state: Leading): number {
    const { batch, mode } = this.#options;
    const wouldGrow = batch.adaptive && state.flights.length >= batchesUnderWay;
    const hasRoom = this.#hasRoom(state) && !wouldGrow && state.successor === undefined;
    const isLingering = batch.lingerMs > 0 && this.#queue.commands > 0 && hasRoom && mode === "multi";
    return isLingering ? this.#queue.waitsSince + batch.lingerMs : Number.POSITIVE_INFINITY;
  }

  /**
   * Proposes what phase 1 found, but for what has been trimmed in the meantime. What has become known to be chosen is
   * proposed too: a learner that missed it may find its votes split over ballots, none of which has a quorum left.
   */
  #proposeAgain(state: Leading, entry: AcceptedEntry, now: number): void {
    const skip = Math.max(0, this.#forgottenBelow - entry.firstInstance);
    state.nextInstance = Math.max(state.nextInstance, endOf(entry));
    if (skip >= entry.count) return;
    const batch = sliceBatch(entry.batch, skip, entry.count - skip);
    this.#propose(state, entry.firstInstance + skip, batch, false, now);
  }

  #propose(state: Leading, firstInstance: number, batch: Batch, isNew: boolean, now: number): void {
    const { digest } = this.#options;
    this.#isActive = true;
    const source = digest ? { firstInstance, count: batch.count, digest: digest(batch) } : null;
    state.nextInstance = Math.max(state.nextInstance, firstInstance + batch.count);
    this.#sendAccept(state, state.flights.add({ firstInstance, batch, source, isNew }, now), now);
  }

  #onAccepted(acceptor: number, message: AcceptedMessage): void {
    const state = this.#state;
    if (state.kind !== "leading" || !sameBallot(state.ballot, message.ballot)) return;
    state.grants.granted(acceptor, message.leaseUntil);
    state.full &= ~addAcceptor(0, acceptor);
    if (state.flights.accepted(acceptor, message)) this.#dropChosen(state);
  }

  #onRefuse(acceptor: number, message: RefuseMessage, now: number): void {
    const { ballot, promised, trimmedBelow, leaseUntil } = message;
    if (compareBallots(promised, this.#seen) > 0) this.#seen = promised;
    this.#forget(trimmedBelow);
    const state = this.#state;
    if (state.kind === "following" || !sameBallot(state.ballot, ballot)) return;
    if (state.kind === "preparing") {
      if (compareBallots(promised, state.ballot) > 0) return this.#follow(now);
      if (leaseUntil > 0) this.#onLeased(state, acceptor, leaseUntil, now);
      return;
    }
    // Without room there is nothing to do but to send it again later.
    if (message.full) state.full = addAcceptor(state.full, acceptor);
    if (compareBallots(promised, state.ballot) <= 0) return;
    state.refused = addAcceptor(state.refused, acceptor);
    const willing = withoutAcceptors(this.#options.topology.acceptors, state.refused);
    // Few have promised more to somebody who cannot have been elected: they are won back by a higher ballot.
    const isElected = now >= this.leaseUntil || !this.#options.quorums.isAcceptQuorum(willing);
    if (isElected) this.#follow(now);
    else this.campaign(now);
  }

  /** A Prepare met another's lease. Without enough acceptors that are free of it, it waits for the lease to end. */
  #onLeased(state: Preparing, acceptor: number, leaseUntil: number, now: number): void {
    state.leased = addAcceptor(state.leased, acceptor);
    state.leasedUntil = Math.max(state.leasedUntil, leaseUntil);
    const free = withoutAcceptors(this.#options.topology.acceptors, state.leased);
    if (!this.#options.quorums.isPrepareQuorum(free)) this.#follow(now, state.leasedUntil);
  }

  /** The leader has handed over to this proposer; its own attempts may have been above that ballot, in vain. */
  #onRelease(released: Ballot, now: number): void {
    const state = this.#state;
    const isOld = compareBallots(released, this.#election.lastLeader) < 0;
    const isDone = state.kind === "leading" || (state.kind === "preparing" && state.released !== null);
    if (isOld || (isDone && compareBallots(state.ballot, released) > 0)) return;
    if (compareBallots(released, this.#seen) > 0) this.#seen = released;
    this.#prepare(this.#chosenBelow, now, released);
  }

  #onProgress(
    learner: number,
    { appliedBelow, stuck, trimBelow, pinnedAt }: ProgressMessage,
    now: number,
  ): void {
    this.#noteChosen(appliedBelow);
    // An observer says only that it is stuck: it is nobody who could be distinguished, and nothing is kept for it.
    if (learner >= 0) {
      const isStill = pinnedAt < 0 && this.#distinguished.isNoProgress(learner, appliedBelow);
      const startsAnew = isStill && appliedBelow < this.#chosenBelow;
      // Where nothing happens it would hear of what is chosen only with the next heartbeat, and wait for most of a lease.
      if (startsAnew && this.#options.leaseMs > 0) this.#heartbeatAt = Math.min(this.#heartbeatAt, now);
      this.#distinguished.progress(learner, appliedBelow);
      this.#trimming.reported(learner, trimBelow, pinnedAt, now);
    }
    if (stuck) this.#onStuck(appliedBelow, now);
  }

  /** Proposes again what a learner cannot learn from the votes that there are. */
  #onStuck(appliedBelow: number, now: number): void {
    const state = this.#state;
    if (state.kind !== "leading" || state.successor !== undefined || state.repair !== undefined) return;
    const firstInstance = Math.max(appliedBelow, this.#forgottenBelow);
    if (firstInstance >= this.#chosenBelow) return;
    // A quorum has accepted it in this very ballot, and not all of them live. The next ballot leaves it out, and the
    // learner will say so again: Promises of phase 1 that come late must not be taken for those of a repair.
    if (firstInstance >= state.firstInstance) return this.campaign(now);
    state.repair = startRepair(firstInstance, state.firstInstance, now);
    this.#sendRepair(state, now);
  }

  #onRepair(state: Leading, acceptor: number, message: PromiseMessage): void {
    const { repair } = state;
    if (repair === undefined || !sameBallot(state.ballot, message.ballot)) return;
    this.#forget(message.trimmedBelow);
    addToRepair(repair, acceptor, message);
    if (!this.#options.quorums.isPrepareQuorum(repair.told)) return;
    state.repair = undefined;
    state.recovered.unshift(...repaired(repair));
  }

  #onHeartbeat({ ballot, leaseUntil, chosenBelow }: HeartbeatMessage, now: number): void {
    this.#noteChosen(chosenBelow);
    if (compareBallots(ballot, this.#seen) > 0) this.#seen = ballot;
    const state = this.#state;
    const isOld = compareBallots(ballot, this.#election.lastLeader) < 0 || now >= leaseUntil;
    if (isOld || (state.kind === "leading" && compareBallots(ballot, state.ballot) < 0)) return;
    // A proposer that sees a live leader does not prepare, whichever ballot is higher.
    if (state.kind !== "following") this.#follow(now);
    this.#election.heard(ballot, leaseUntil);
    this.#handOn(ballot);
  }

  /** Whoever waits here without a leader is sent to the one that there is now. */
  #handOn(leader: Ballot): void {
    const { fresh, forwarded } = this.#queue.takeAll();
    if (fresh.length > 0) this.#forward(leader, fresh);
    // A client with both must hear first that it has something to send again: it follows the first that it hears.
    this.#sendNotLeader(clientsOf(forwarded), leader.proposer, false);
    this.#sendNotLeader(clientsOf(fresh), leader.proposer, true);
    this.#sendNotLeader([...this.#reads.clear()], leader.proposer, false);
  }

  #onRead(from: Address, id: number, now: number): void {
    const state = this.#state;
    const leader = this.#leader(now);
    this.#isActive = true;
    // Learners answer clients before this proposer knows what is chosen: only what it has proposed is high enough.
    const proposedBelow = state.kind === "leading" ? readBelow(state) : 0;
    if (leader === undefined && this.#reads.add(from, id, proposedBelow)) return;
    this.#sendNotLeader([from], leader?.proposer ?? -1, false);
  }

  /** The indexes were taken before: the clock comes last, so that the lease held when they were. */
  #answerReads(state: Leading, now: number): void {
    if (this.#reads.length === 0) return;
    const { leaseUntil, round } = state.grants;
    const { quorums, topology } = this.#options;
    const storageFull = !quorums.isAcceptQuorum(withoutAcceptors(topology.acceptors, state.full));
    const said = { ballot: state.ballot, storageFull };
    const answers = now < leaseUntil ? this.#reads.answerAll(said) : this.#reads.answered(round, said);
    if (answers.length === 0) return;
    state.hasAnsweredReads = true;
    this.#send.push(...answers);
  }

  #sendHeartbeat(state: Leading, now: number): void {
    const { leaseMs, mode } = this.#options;
    state.round += 1;
    // Basic Paxos prepares all the time: there is nothing to protect by a lease, but others should see the leader.
    const toAcceptors = mode === "multi" || this.#reads.length > 0 ? this.#acceptors : [];
    this.#distinguished.watch(this.#chosenBelow, now);
    const heartbeat = {
      type: "heartbeat",
      ballot: state.ballot,
      round: state.round,
      chosenBelow: this.#chosenBelow,
      distinguished: this.distinguishedLearner,
    } as const;
    const leaseUntil = leaseMs > 0 ? now + leaseMs : 0;
    if (mode === "basic" && toAcceptors.length > 0) {
      this.#send.push({ to: toAcceptors, message: { ...heartbeat, leaseUntil: 0 } });
    }
    const to = [...this.#others, ...(mode === "multi" ? toAcceptors : []), ...this.#learnersToTell(now)];
    this.#send.push({ to, message: { ...heartbeat, leaseUntil } });
    this.#reads.roundSent(state.round);
    const againMs = leaseMs > 0 ? leaseMs / this.#heartbeatsPerLease(now) : this.#options.retransmitMs;
    const isDue = leaseMs > 0 || this.#reads.length > 0;
    this.#heartbeatAt = isDue ? now + againMs : Number.POSITIVE_INFINITY;
    this.#heartbeatSentAt = now;
    this.#isActive = false;
  }

  /** Each heartbeat wakes all acceptors. Where nothing happens, and the lease is held, fewer of them do. */
  #heartbeatsPerLease(now: number): number {
    const isIdle = !this.#isActive && this.#queue.commands === 0 && now < this.leaseUntil;
    const isSettled = isIdle && !this.#distinguished.lags(this.#chosenBelow);
    return isSettled ? limits.heartbeatsPerIdleLease : limits.heartbeatsPerLease;
  }

  /** Who has heard that much is told again once in a lease: a learner that starts anew knows nothing of it. */
  #learnersToTell(now: number): readonly Address[] {
    const { distinguishedLearner } = this;
    const chosenBelow = this.#chosenBelow;
    const told = this.#toldLearners;
    const isKnown =
      told !== undefined &&
      told.chosenBelow === chosenBelow &&
      told.distinguishedLearner === distinguishedLearner &&
      !this.#distinguished.lags(chosenBelow);
    if (isKnown && now < told.at + this.#options.leaseMs) return [];
    this.#toldLearners = { chosenBelow, distinguishedLearner, at: now };
    return this.#learners;
  }

  /** Once nothing is under way any more, or the successor has waited long enough. */
  #handOver(state: Leading, successor: NonNullable<Leading["successor"]>, now: number): void {
    const isQuiet = state.flights.length === 0 && state.recovered.length === 0;
    if (!isQuiet && now < successor.waitUntil) return;
    const to = actorAddress("proposer", successor.index);
    this.#send.push({ to: [to], message: { type: "release", ballot: state.ballot } });
    this.#handOn({ ...state.ballot, proposer: successor.index });
    this.#follow(now, now + this.#options.leaseMs);
  }

  /** Another proposer has gone higher, or leads. What is under way here waits for it, in the old order. */
  #follow(now: number, notBefore = now): void {
    const own = ownFrom(this.#state);
    const { fresh, forwarded } = this.#queue.takeAll();
    this.#state = { kind: "following" };
    this.#election.lost(notBefore);
    // What was under way may have been forwarded to here: its clients are told who leads, once that is known.
    const waits = this.#queue.push([...own, ...forwarded], true, now) && this.#queue.push(fresh, false, now);
    if (!waits) this.#sendNotLeader(clientsOf([...own, ...forwarded, ...fresh]), -1, false);
  }

  /**
   * Somebody else knows that everything below is chosen. What is under way here stays so until this ballot's acceptors
   * have it: a learner may need their votes.
   */
  #noteChosen(below: number): void {
    this.#chosenBelow = Math.max(this.#chosenBelow, below);
  }

  /** Everything below is chosen, and an acceptor has forgotten it: it must not be proposed any more. */
  #forget(below: number): void {
    if (below <= this.#forgottenBelow) return;
    this.#forgottenBelow = below;
    this.#noteChosen(below);
    const state = this.#state;
    if (state.kind !== "leading") return;
    state.flights.forget(below);
    this.#dropChosen(state);
  }

  #dropChosen({ flights }: Leading): void {
    this.#chosenBelow = flights.dropChosen(this.#chosenBelow);
    this.#batchSize.answered(this.#queue.commands + flights.commands);
  }

  /** To these acceptors, or to all, where what they have told ends; not to those that have told everything. */
  #sendPrepare(state: Preparing, acceptors: Iterable<number> = this.#acceptors.keys()): void {
    const { ballot, released } = state;
    const asked = new Map<number, Address[]>();
    for (const acceptor of acceptors) {
      const at = continuesAt(state, acceptor);
      if (at >= 0) asked.set(at, [...(asked.get(at) ?? []), actorAddress("acceptor", acceptor)]);
    }
    for (const [firstInstance, to] of asked) {
      this.#send.push({ to, message: { type: "prepare", ballot, firstInstance, released } });
    }
  }

  /** To the acceptors that have not told. */
  #sendRepair({ ballot, repair }: Leading, now: number): void {
    if (repair === undefined) return;
    repair.sentAt = now;
    const to = this.#acceptors.filter((_, index) => !hasAcceptor(repair.told, index));
    const { firstInstance } = repair;
    this.#send.push({ to, message: { type: "prepare", ballot, firstInstance, released: null } });
  }

  /** To the acceptors that have not accepted it; with digests also to the learners that they would tell. */
  #sendAccept({ ballot }: Leading, { firstInstance, batch, source, accepted }: Flight, now: number): void {
    const { leaseMs, mode } = this.#options;
    const distinguished = this.distinguishedLearner;
    const told = distinguished < 0 ? this.#learners : [actorAddress("learner", distinguished)];
    const asked =
      accepted === 0 ? this.#acceptors : this.#acceptors.filter((_, index) => !hasAcceptor(accepted, index));
    this.#send.push({
      to: source === null ? asked : [...asked, ...told],
      message: {
        type: "accept",
        ballot,
        firstInstance,
        batch,
        trimBelow: this.#trimming.below(this.#chosenBelow, now),
        leaseUntil: mode === "multi" && leaseMs > 0 ? now + leaseMs : 0,
        distinguished,
        source,
      },
    });
  }

  #sendNotLeader(to: readonly Address[], leader: number, forwarded: boolean): void {
    if (to.length === 0) return;
    this.#send.push({ to, message: { type: "notLeader", ballot: this.#seen, leader, forwarded } });
  }

  /** Everything its future depends on, as plain data, but for when a tick is due; for the explorer. */
  dump(): unknown {
    return [
      dumpOf(this.#state),
      [this.#queue.dump(), this.#reads.dump(), this.#election.dump(), this.#distinguished.dump()],
      [this.#seen, this.#chosenBelow, this.#forgottenBelow, this.#lastTimeMs, `${this.#heartbeatAt}`],
      this.#trimming.dump(),
    ];
  }
}

function repairAt({ repair }: Leading, retransmitMs: number): number {
  return repair === undefined ? Number.POSITIVE_INFINITY : repair.sentAt + retransmitMs;
}

function clientsOf(segments: readonly Segment[]): Address[] {
  const clients = new Set<number>();
  for (const segment of segments) if ("client" in segment) clients.add(segment.client);
  return [...clients].map(clientAddress);
}
