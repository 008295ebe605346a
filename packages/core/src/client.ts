import { assert } from "./assert.js";
import { type Ballot, compareBallots, noBallot, sameProposer } from "./ballot.js";
import { type Segment, type SequencedSegment, sliceSegment } from "./batch.js";
import { type BatchLimits, BatchSize } from "./batch-size.js";
import {
  type Answered,
  ClientReads,
  type Consistency,
  type Destinations,
  type ExpiredRead,
} from "./client-reads.js";
import { type LateReason, LeaderWatch } from "./leader-watch.js";
import {
  type Address,
  type Envelope,
  type Message,
  type NotLeaderMessage,
  probeId,
  type ReadReadyMessage,
  type ResponseMessage,
  type SequenceGapMessage,
} from "./messages.js";
import { type Deadlines, Outstanding, type Settled, type Submission, slot } from "./outstanding.js";
import { actorAddress, addressesOf, clientAddress, indexOf, type Topology } from "./roles.js";

export interface ClientOptions {
  readonly topology: Topology;
  /** Makes the client's address; never used twice in a process. */
  readonly client: number;
  /** Commands that may be unanswered at once: a power of two. */
  readonly windowCommandsMax: number;
  /** As proposers have it, in milliseconds: without a leader for longer there is no quorum. */
  readonly leaseMs: number;
  /**
   * Without any progress for this long, in milliseconds, everything unanswered is sent again to another proposer if
   * nobody says that it leads; if somebody does, after as long once more, for another learner to answer. Doubles.
   */
  readonly retryAfterMs: number;
  readonly retryAfterMsMax: number;
  /** A session that was silent for this long, in milliseconds, is kept alive. */
  readonly keepAliveMs: number;
  /** Which learner is asked to answer first. */
  readonly answerer: number;
  /** How many commands to put into one piece. */
  readonly batch: BatchLimits;
}

/** A sequence number whose deadline has passed: its outcome is unknown. */
export interface Expired {
  readonly sequence: number;
  readonly reason: LateReason;
}

export interface ClientReady {
  readonly send: readonly Envelope[];
  readonly settled: readonly Settled[];
  readonly expired: readonly Expired[];
  readonly answered: readonly Answered[];
  readonly expiredReads: readonly ExpiredRead[];
}

/**
 * A client's half of exactly-once: it numbers commands, finds the leader, sends again what got lost, and never
 * leaves a number empty, because every later command of the session would wait for it.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #address: Address;
  readonly #outstanding: Outstanding;
  readonly #reads: ClientReads;
  readonly #batchSize: BatchSize;
  #session: number | undefined;
  #state: "opening" | "open" | "expired" | "closed" = "opening";
  #leader = 0;
  /** The highest that was heard of together with a leader. */
  #ballot: Ballot = noBallot;
  /** The highest ballot that somebody has said it leads in: whoever leads later does so in a higher one. */
  #ledIn: Ballot = noBallot;
  /** A ballot of the leader's present life; undefined until it has been confirmed. */
  #life: Ballot | undefined;
  readonly #watch: LeaderWatch;
  #answerer: number;
  #observedBelow = 0;
  #retryAt = Number.POSITIVE_INFINITY;
  #retryAfterMs: number;
  /** Since when there has been neither progress, nor a retry, nor another leader. */
  #retryFrom = Number.NEGATIVE_INFINITY;
  /** The retry was put off once, because the leader lives. */
  #hasWaited = false;
  /** Times that nothing came until the retry. */
  #silences = 0;
  #keepAliveAt = Number.POSITIVE_INFINITY;
  #gap: { readonly ballot: Ballot; readonly expected: number } | undefined;
  #send: Envelope[] = [];
  #settled: Settled[] = [];
  #expired: Expired[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#address = clientAddress(options.client);
    this.#answerer = options.answerer;
    this.#retryAfterMs = options.retryAfterMs;
    this.#watch = new LeaderWatch(options.leaseMs);
    this.#outstanding = new Outstanding(options.windowCommandsMax);
    this.#reads = new ClientReads(options.retryAfterMs);
    this.#batchSize = new BatchSize(options.batch);
  }

  get address(): Address {
    return this.#address;
  }

  get state(): "opening" | "open" | "expired" | "closed" {
    return this.#state;
  }

  get session(): number | undefined {
    return this.#session;
  }

  /** The proposer that it believes to lead. */
  get leader(): Address {
    return this.#leaderAddress();
  }

  /** Sequence numbers that are used and not answered, with those whose callers have gone. */
  get unanswered(): number {
    return this.#outstanding.count;
  }

  /** How many more commands may be submitted now. */
  get room(): number {
    return this.#state === "open" ? this.#outstanding.room : 0;
  }

  /** Everything that this client has seen the effect of is below this instance. */
  get observedBelow(): number {
    return this.#observedBelow;
  }

  /** Reads that are not answered. */
  get openReads(): number {
    return this.#reads.open;
  }

  /** How many commands the next submission should hold when so many wait. */
  submissionCommands(waiting: number): number {
    return this.#batchSize.wanted(this.unanswered + waiting);
  }

  /** Asks for a session. Commands can be submitted once {@link state} is `open`. */
  open(now: number): void {
    this.#watch.begin(now);
    this.#sendOpen();
    this.#restartRetry(now);
  }

  /** Why what ends now without an answer has had none. */
  lateReason(now: number): LateReason {
    return this.#watch.reason(now);
  }

  /** Ends the session; what is unanswered stays unknown. */
  close(): void {
    const session = this.#session;
    if (this.#state === "open" && session !== undefined) {
      this.#propose([{ kind: "close", client: this.#options.client, session, count: 1 }]);
    }
    this.#state = "closed";
  }

  /**
   * Gives numbers to commands that are encoded in `bytes` and sends them.
   * Returns the first number. At most {@link room} commands.
   */
  submit(bytes: Uint8Array, deadlines: Deadlines, now: number): number {
    assert(deadlines.length <= this.room, "commands are submitted to an open session that has room");
    if (!this.#isWaiting) this.#watch.begin(now);
    if (this.unanswered === 0) this.#restartRetry(now);
    const submission = this.#outstanding.submit(bytes, deadlines);
    this.#propose([this.#segmentOf(submission)]);
    this.#keepAliveAt = now + this.#options.keepAliveMs;
    return submission.firstSequence;
  }

  /**
   * The caller has gone. The number must still be filled: until it is answered, a no-op is sent in its place
   * whenever something must be sent again. False when nobody waits for it any more.
   */
  abandon(sequence: number): boolean {
    return this.#outstanding.abandon(sequence);
  }

  /** Reads without changing anything; returns the number under which {@link takeReady} gives the answer. */
  read(bytes: Uint8Array, consistency: Consistency, deadline: number, now: number): number {
    if (!this.#isWaiting) this.#watch.begin(now);
    return this.#reads.add(bytes, consistency, deadline, now, this.#observedBelow);
  }

  /** The caller of a read has gone. */
  forgetRead(id: number): void {
    this.#reads.forget(id);
  }

  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "response":
        return this.#onResponse(message, now);
      case "notLeader":
        return this.#onNotLeader(from, message, now);
      case "sequenceGap":
        return this.#onSequenceGap(message, now);
      case "readReady":
        return this.#onReadReady(from, message, now);
      case "answer":
        this.#observe(message.appliedBelow);
        return this.#reads.answer(message);
      case "sessionOpened":
        return this.#onSessionOpened(message.session, now);
      case "sessionExpired":
        if (message.session === this.#session && this.#state === "open") this.#state = "expired";
        return;
      default:
        assert(false, `a client is never sent ${message.type}`);
    }
  }

  /** Passes deadlines and sends again what is late; call it when {@link deadline} has come. */
  tick(now: number): void {
    if (this.#state === "closed") return;
    const reason = this.#watch.reason(now);
    if (now >= this.#outstanding.earliestDeadline) {
      for (const sequence of this.#outstanding.expire(now)) this.#expired.push({ sequence, reason });
    }
    const silent = this.#reads.tick(now, this.#destinations(), reason);
    if (silent.leader) this.#tryNextLeader(now);
    if (silent.learner) this.#tryNextAnswerer();
    if (this.#isWaiting && now >= this.#watch.probeAt) this.#sendProbe(now);
    if (this.#state === "expired") return;
    if (now >= this.#keepAliveAt) this.#keepAlive(now);
    if (now >= this.#retryAt) this.#onSilence(now);
  }

  /** When {@link tick} wants to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    if (this.#state === "closed") return Number.POSITIVE_INFINITY;
    const probeAt = this.#isWaiting ? this.#watch.probeAt : Number.POSITIVE_INFINITY;
    const forCallers = Math.min(this.#outstanding.earliestDeadline, this.#reads.deadline, probeAt);
    return this.#state === "expired" ? forCallers : Math.min(forCallers, this.#retryAt, this.#keepAliveAt);
  }

  takeReady(): ClientReady {
    const { send, answered, expired: expiredReads } = this.#reads.takeReady(this.#destinations());
    if (send.length > 0) this.#send.push(...send);
    const ready = {
      send: this.#send,
      settled: this.#settled,
      expired: this.#expired,
      answered,
      expiredReads,
    };
    this.#send = [];
    this.#settled = [];
    this.#expired = [];
    return ready;
  }

  /** Is there anything that somebody should answer? */
  get #isWaiting(): boolean {
    const { open } = this.#reads;
    return open > 0 || this.#state === "opening" || (this.#state === "open" && this.unanswered > 0);
  }

  #onSessionOpened(session: number, now: number): void {
    this.#watch.confirmed(now, false);
    if (this.#state === "opening") {
      this.#session = session;
      this.#state = "open";
      this.#retryAt = Number.POSITIVE_INFINITY;
      this.#retryAfterMs = this.#options.retryAfterMs;
      this.#keepAliveAt = now + this.#options.keepAliveMs;
      this.#observe(session + 1);
    } else if (session !== this.#session) {
      // An opening that was sent twice has opened two: the surplus one is given back.
      this.#propose([{ kind: "close", client: this.#options.client, session, count: 1 }]);
    }
  }

  #onResponse(message: ResponseMessage, now: number): void {
    if (message.session !== this.#session || this.#state !== "open") return;
    this.#observe(message.appliedBelow);
    this.#watch.confirmed(now, false);
    const { firstSequence, results } = message;
    if (!this.#outstanding.answer(firstSequence, results, this.#settled)) return;
    this.#batchSize.answered(this.unanswered);
    if (this.unanswered > 0) this.#restartRetry(now);
    else this.#retryAt = Number.POSITIVE_INFINITY;
  }

  #onNotLeader(from: Address, { ballot, leader, forwarded }: NotLeaderMessage, now: number): void {
    const order = compareBallots(ballot, this.#ballot);
    const refuser = indexOf("proposer", from);
    // Nobody better is known: the timer tries the others, so that two that know nothing are not asked in a circle.
    if (order < 0 || leader < 0 || leader === refuser) return;
    if (order === 0 && refuser !== this.#leader) return;
    this.#ballot = ballot;
    if (leader === this.#leader) return;
    this.#follow(leader, now);
    this.#reads.askAgain(now);
    if (this.#retryAt === Number.POSITIVE_INFINITY) return;
    if (forwarded) this.#restartRetry(now);
    else this.#sendAgain(now);
  }

  #follow(leader: number, now: number): void {
    this.#leader = leader;
    this.#life = undefined;
    this.#retryFrom = now;
  }

  #onSequenceGap({ session, expected, ballot }: SequenceGapMessage, now: number): void {
    if (session !== this.#session || expected < this.#outstanding.oldest) return;
    const known = this.#gap;
    // Basic Paxos has a ballot for every batch: what was skipped after one gap must not look like many.
    if (known?.expected === expected && sameProposer(known.ballot, ballot)) return;
    this.#gap = { ballot, expected };
    this.#sendAgain(now);
  }

  #onReadReady(from: Address, message: ReadReadyMessage, now: number): void {
    this.#noteLeader(indexOf("proposer", from), message.ballot, now);
    this.#watch.confirmed(now, message.storageFull);
    if (message.id !== probeId) this.#reads.ready(message, now, this.#observedBelow);
  }

  /** Somebody leads: if it is another than was believed, it may know of nothing that is unanswered here. */
  #noteLeader(leader: number, ballot: Ballot, now: number): void {
    // What was heard of others is no measure: an attempt to lead that failed may have had a higher ballot.
    if (compareBallots(ballot, this.#ledIn) < 0) return;
    this.#ledIn = ballot;
    const isOther = leader !== this.#leader;
    const wasLost = this.#watch.wasLost(this.#retryFrom, now);
    const hasChanged = isOther || (this.#life === undefined ? wasLost : !sameProposer(this.#life, ballot));
    if (compareBallots(ballot, this.#ballot) > 0) this.#ballot = ballot;
    if (isOther) this.#follow(leader, now);
    this.#life = ballot;
    if (!hasChanged) return;
    this.#reads.askAgain(now);
    if (this.#retryAt < Number.POSITIVE_INFINITY) this.#sendAgain(now);
  }

  /** All proposers are asked: whoever leads answers, now or as soon as it does. */
  #sendProbe(now: number): void {
    this.#watch.probed(now);
    const to = addressesOf("proposer", this.#options.topology.proposers);
    this.#send.push({ to, message: { type: "read", id: probeId } });
  }

  /**
   * Nothing has come for too long. If nobody says that it leads, another proposer is tried. While the leader lives, what
   * it was sent is not lost: either there is much to do, or, after as long once more, the learner is silent.
   */
  #onSilence(now: number): void {
    const isUnanswered = this.#watch.isUnanswered(now);
    if (!isUnanswered && !this.#hasWaited) {
      this.#hasWaited = true;
      this.#retryAt = now + this.#retryAfterMs;
      return;
    }
    this.#retryAfterMs = Math.min(this.#retryAfterMs * 2, this.#options.retryAfterMsMax);
    this.#silences += 1;
    const { proposers } = this.#options.topology;
    const isAlive = !isUnanswered && this.#watch.confirmedAt >= this.#retryFrom;
    if (isAlive) this.#tryNextAnswerer();
    else {
      this.#tryNextLeader(now);
      if (this.#silences % proposers === 0) this.#tryNextAnswerer();
    }
    this.#sendAgain(now);
  }

  #tryNextLeader(now: number): void {
    this.#follow((this.#leader + 1) % this.#options.topology.proposers, now);
  }

  #tryNextAnswerer(): void {
    this.#answerer = (this.#answerer + 1) % this.#options.topology.learners;
  }

  /** Nobody answers it, and nothing else may tell this client that its leader is gone: all proposers are told. */
  #keepAlive(now: number): void {
    const { client, keepAliveMs, topology } = this.#options;
    const session = this.#session as number;
    this.#keepAliveAt = now + keepAliveMs;
    for (const proposer of addressesOf("proposer", topology.proposers)) {
      this.#propose([{ kind: "keepAlive", client, session, count: 1, answerer: this.#answerer }], proposer);
    }
  }

  #sendAgain(now: number): void {
    this.#restartRetry(now, this.#retryAfterMs);
    if (this.#state === "opening") return this.#sendOpen();
    if (this.#state !== "open" || this.unanswered === 0) {
      this.#retryAt = Number.POSITIVE_INFINITY;
      return;
    }
    for (const submission of this.#outstanding.submissions) {
      const segments = this.#unansweredParts(submission);
      if (segments.length > 0) this.#propose(segments);
    }
  }

  /** The runs of a submission that still wait, as commands or, where the caller has gone, as fills. */
  #unansweredParts(submission: Submission): Segment[] {
    const whole = this.#segmentOf(submission);
    const outstanding = this.#outstanding;
    const parts: Segment[] = [];
    let start = 0;
    while (start < submission.count) {
      const known = outstanding.of(submission.firstSequence + start);
      let end = start + 1;
      while (end < submission.count && outstanding.of(submission.firstSequence + end) === known) end += 1;
      if (known !== slot.answered) {
        const part = sliceSegment(whole, start, end - start) as SequencedSegment;
        parts.push(known === slot.waiting ? part : fillFor(part));
      }
      start = end;
    }
    return parts;
  }

  #segmentOf({ firstSequence, count, bytes }: Submission): Segment {
    assert(this.#session !== undefined, "commands are submitted to an open session");
    return {
      kind: "commands",
      client: this.#options.client,
      session: this.#session,
      firstSequence,
      count,
      skip: 0,
      acknowledgedBelow: this.#outstanding.oldest,
      answerer: this.#answerer,
      bytes,
    };
  }

  #sendOpen(): void {
    const { client } = this.#options;
    this.#propose([{ kind: "open", client, count: 1, answerer: this.#answerer }]);
  }

  #propose(segments: readonly Segment[], to = this.#leaderAddress()): void {
    this.#send.push({
      to: [to],
      message: { type: "propose", segments, forwarded: false },
    });
  }

  #leaderAddress(): Address {
    return actorAddress("proposer", this.#leader);
  }

  #destinations(): Destinations {
    return {
      leader: this.#leader,
      learner: this.#answerer,
    };
  }

  #observe(appliedBelow: number): void {
    this.#observedBelow = Math.max(this.#observedBelow, appliedBelow);
  }

  #restartRetry(now: number, afterMs = this.#options.retryAfterMs): void {
    this.#retryAfterMs = afterMs;
    this.#retryAt = now + afterMs;
    this.#retryFrom = now;
    this.#hasWaited = false;
  }
}

function fillFor(part: SequencedSegment): SequencedSegment {
  const { client, session, firstSequence, count, acknowledgedBelow, answerer } = part;
  return { kind: "fill", client, session, firstSequence, count, acknowledgedBelow, answerer };
}
