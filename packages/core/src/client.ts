import { assert } from "./assert.js";
import { type Ballot, compareBallots, noBallot } from "./ballot.js";
import { type Segment, type SequencedSegment, sliceSegment } from "./batch.js";
import type {
  Address,
  Envelope,
  Message,
  NotLeaderMessage,
  ResponseMessage,
  Result,
  SequenceGapMessage,
} from "./messages.js";
import { actorAddress, clientAddress, indexOf, type Topology } from "./roles.js";

export interface ClientOptions {
  readonly topology: Topology;
  /** Makes the client's address; never used twice in a process. */
  readonly client: number;
  /** Commands that may be unanswered at once: a power of two. */
  readonly windowCommandsMax: number;
  /** Without any progress for this long, in milliseconds, everything unanswered is sent again; doubles each time. */
  readonly retryAfterMs: number;
  readonly retryAfterMsMax: number;
  /** Which learner is asked to answer first. */
  readonly answerer: number;
}

/** Results of consecutive sequence numbers that a caller still waits for. */
export interface Settled {
  readonly firstSequence: number;
  readonly results: readonly Result[];
}

export interface ClientReady {
  readonly send: readonly Envelope[];
  readonly settled: readonly Settled[];
  /** Sequence numbers whose deadline has passed: their outcome is unknown. */
  readonly expired: readonly number[];
}

/** What was submitted in one piece and is kept until all of it is answered. */
interface Submission {
  readonly firstSequence: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** What is known of a sequence number. */
const slot = { answered: 0, waiting: 1, abandoned: 2 } as const;

/**
 * A client's half of exactly-once: it numbers commands, finds the leader, sends again what got lost, and never
 * leaves a number empty, because every later command of the session would wait for it.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #address: Address;
  #session: number | undefined;
  #state: "opening" | "open" | "expired" | "closed" = "opening";
  #nextSequence = 1;
  /** Everything below is answered. */
  #oldestSequence = 1;
  readonly #slots: Uint8Array;
  readonly #deadlines: Float64Array;
  #submissions: Submission[] = [];
  #earliestDeadline = Number.POSITIVE_INFINITY;
  #leader = 0;
  #ballot: Ballot = noBallot;
  #answerer: number;
  #observedBelow = 0;
  #retryAt: number = Number.POSITIVE_INFINITY;
  #retryAfterMs: number;
  /** Times that nothing came until the retry. */
  #silences = 0;
  #gap: { readonly ballot: Ballot; readonly expected: number } | undefined;
  #send: Envelope[] = [];
  #settled: Settled[] = [];
  #expired: number[] = [];

  constructor(options: ClientOptions) {
    const { windowCommandsMax } = options;
    assert((windowCommandsMax & (windowCommandsMax - 1)) === 0, "the window is a power of two");
    this.#options = options;
    this.#address = clientAddress(options.client);
    this.#answerer = options.answerer;
    this.#retryAfterMs = options.retryAfterMs;
    this.#slots = new Uint8Array(windowCommandsMax);
    this.#deadlines = new Float64Array(windowCommandsMax);
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

  /** Sequence numbers that are used and not answered, with those whose callers have gone. */
  get unanswered(): number {
    return this.#nextSequence - this.#oldestSequence;
  }

  /** How many more commands may be submitted now. */
  get room(): number {
    return this.#state === "open" ? this.#options.windowCommandsMax - this.unanswered : 0;
  }

  /** Everything that this client has seen the effect of is below this instance. */
  get observedBelow(): number {
    return this.#observedBelow;
  }

  /** The learner that is to answer this client's queries. */
  get answerer(): Address {
    return actorAddress("learner", this.#answerer);
  }

  /** Asks for a session. Commands can be submitted once {@link state} is `open`. */
  open(now: number): void {
    this.#sendOpen();
    this.#retryAt = now + this.#retryAfterMs;
  }

  /** Ends the session; what is unanswered stays unknown. */
  close(): void {
    const session = this.#session;
    if (this.#state === "open" && session !== undefined) {
      this.#propose([{ kind: "close", client: this.#options.client, session, count: 1 }]);
    }
    this.#state = "closed";
    this.#retryAt = Number.POSITIVE_INFINITY;
    this.#earliestDeadline = Number.POSITIVE_INFINITY;
  }

  /**
   * Gives numbers to commands that are encoded in `bytes`, with a deadline each, and sends them.
   * Returns the first number. At most {@link room} commands.
   */
  submit(bytes: Uint8Array, deadlines: readonly number[], now: number): number {
    const count = deadlines.length;
    assert(count > 0 && count <= this.room, "a submission fits into the window");
    const firstSequence = this.#nextSequence;
    for (let index = 0; index < count; index++) {
      const deadline = deadlines[index] as number;
      const position = (firstSequence + index) % this.#slots.length;
      this.#slots[position] = slot.waiting;
      this.#deadlines[position] = deadline;
      if (deadline < this.#earliestDeadline) this.#earliestDeadline = deadline;
    }
    if (this.unanswered === 0) this.#restartRetry(now);
    this.#nextSequence += count;
    const submission = { firstSequence, count, bytes };
    this.#submissions.push(submission);
    this.#propose([this.#segmentOf(submission)]);
    return firstSequence;
  }

  /**
   * The caller has gone. The number must still be filled: until it is answered, a no-op is sent in its place
   * whenever something must be sent again.
   */
  abandon(sequence: number): void {
    if (this.#slotOf(sequence) === slot.waiting) this.#setSlot(sequence, slot.abandoned);
  }

  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "response":
        return this.#onResponse(message, now);
      case "notLeader":
        return this.#onNotLeader(from, message, now);
      case "sequenceGap":
        return this.#onSequenceGap(message, now);
      case "sessionOpened":
        return this.#onSessionOpened(message.session);
      case "sessionExpired":
        if (message.session === this.#session && this.#state === "open") this.#state = "expired";
        return;
      default:
        assert(false, `a client is never sent ${message.type}`);
    }
  }

  /** A query was answered: later ones must not go back behind it. */
  observe(appliedBelow: number): void {
    this.#observedBelow = Math.max(this.#observedBelow, appliedBelow);
  }

  /** Passes deadlines and sends again what is late; call it when {@link deadline} has come. */
  tick(now: number): void {
    if (now >= this.#earliestDeadline) this.#expire(now);
    if (now < this.#retryAt) return;
    this.#retryAfterMs = Math.min(this.#retryAfterMs * 2, this.#options.retryAfterMsMax);
    // Silence: maybe the proposer, maybe the learner. Every pair of them has its turn.
    this.#silences += 1;
    this.#leader = (this.#leader + 1) % this.#options.topology.proposers;
    if (this.#silences % this.#options.topology.proposers === 0) {
      this.#answerer = (this.#answerer + 1) % this.#options.topology.learners;
    }
    this.#sendAgain(now);
  }

  /** When {@link tick} wants to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    return Math.min(this.#earliestDeadline, this.#retryAt);
  }

  takeReady(): ClientReady {
    const ready = { send: this.#send, settled: this.#settled, expired: this.#expired };
    this.#send = [];
    this.#settled = [];
    this.#expired = [];
    return ready;
  }

  #onSessionOpened(session: number): void {
    if (this.#state === "opening") {
      this.#session = session;
      this.#state = "open";
      this.#retryAt = Number.POSITIVE_INFINITY;
      this.#retryAfterMs = this.#options.retryAfterMs;
      this.#observedBelow = Math.max(this.#observedBelow, session + 1);
    } else if (session !== this.#session) {
      // An opening that was sent twice has opened two: the surplus one is given back.
      this.#propose([{ kind: "close", client: this.#options.client, session, count: 1 }]);
    }
  }

  #onResponse(message: ResponseMessage, now: number): void {
    if (message.session !== this.#session || this.#state === "closed") return;
    const { firstSequence, results } = message;
    this.#observedBelow = Math.max(this.#observedBelow, message.appliedBelow);
    const before = this.#oldestSequence;
    let runStart = -1;
    for (let index = 0; index <= results.length; index++) {
      const sequence = firstSequence + index;
      const known =
        index === results.length || sequence < this.#oldestSequence ? slot.answered : this.#slotOf(sequence);
      if (known !== slot.answered) this.#setSlot(sequence, slot.answered);
      if (known === slot.waiting && runStart < 0) runStart = index;
      if (known !== slot.waiting && runStart >= 0) {
        const whole = runStart === 0 && index === results.length;
        this.#settled.push({
          firstSequence: firstSequence + runStart,
          results: whole ? results : results.slice(runStart, index),
        });
        runStart = -1;
      }
    }
    while (this.#oldestSequence < this.#nextSequence) {
      if (this.#slotOf(this.#oldestSequence) !== slot.answered) break;
      this.#oldestSequence += 1;
    }
    if (this.#oldestSequence > before) this.#onProgress(now);
  }

  #onProgress(now: number): void {
    let done = 0;
    for (const { firstSequence, count } of this.#submissions) {
      if (firstSequence + count > this.#oldestSequence) break;
      done += 1;
    }
    if (done > 0) this.#submissions.splice(0, done);
    if (this.unanswered > 0) this.#restartRetry(now);
    else {
      this.#retryAt = Number.POSITIVE_INFINITY;
      this.#earliestDeadline = Number.POSITIVE_INFINITY;
    }
  }

  #onNotLeader(from: Address, { ballot }: NotLeaderMessage, now: number): void {
    if (compareBallots(ballot, this.#ballot) > 0) this.#ballot = ballot;
    const refuser = indexOf("proposer", from);
    if (refuser !== this.#leader || this.#retryAt === Number.POSITIVE_INFINITY) return;
    const better = this.#ballot.proposer;
    // Nobody better is known: the timer tries the others, so that two that know nothing are not asked in a circle.
    if (better < 0 || better === refuser) return;
    this.#leader = better;
    this.#sendAgain(now);
  }

  #onSequenceGap({ session, expected, ballot }: SequenceGapMessage, now: number): void {
    if (session !== this.#session || expected < this.#oldestSequence) return;
    const known = this.#gap;
    if (known?.expected === expected && compareBallots(known.ballot, ballot) === 0) return;
    this.#gap = { ballot, expected };
    this.#sendAgain(now);
  }

  #expire(now: number): void {
    this.#earliestDeadline = Number.POSITIVE_INFINITY;
    for (let sequence = this.#oldestSequence; sequence < this.#nextSequence; sequence++) {
      if (this.#slotOf(sequence) !== slot.waiting) continue;
      const deadline = this.#deadlines[sequence % this.#deadlines.length] as number;
      if (deadline > now) this.#earliestDeadline = Math.min(this.#earliestDeadline, deadline);
      else {
        this.#setSlot(sequence, slot.abandoned);
        this.#expired.push(sequence);
      }
    }
  }

  #sendAgain(now: number): void {
    this.#restartRetry(now, this.#retryAfterMs);
    if (this.#state === "opening") return this.#sendOpen();
    if (this.#state !== "open") {
      this.#retryAt = Number.POSITIVE_INFINITY;
      return;
    }
    for (const submission of this.#submissions) {
      const segments = this.#unansweredParts(submission);
      if (segments.length > 0) this.#propose(segments);
    }
  }

  /** The runs of a submission that still wait, as commands or, where the caller has gone, as fills. */
  #unansweredParts(submission: Submission): Segment[] {
    const whole = this.#segmentOf(submission);
    const parts: Segment[] = [];
    let start = 0;
    while (start < submission.count) {
      const known = this.#slotFrom(submission.firstSequence + start);
      let end = start + 1;
      while (end < submission.count && this.#slotFrom(submission.firstSequence + end) === known) end += 1;
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
      acknowledgedBelow: this.#oldestSequence,
      answerer: this.#answerer,
      bytes,
    };
  }

  #sendOpen(): void {
    const { client } = this.#options;
    this.#propose([{ kind: "open", client, count: 1, answerer: this.#answerer }]);
  }

  #propose(segments: readonly Segment[]): void {
    this.#send.push({ to: [actorAddress("proposer", this.#leader)], message: { type: "propose", segments } });
  }

  #restartRetry(now: number, afterMs = this.#options.retryAfterMs): void {
    this.#retryAfterMs = afterMs;
    this.#retryAt = now + afterMs;
  }

  #slotOf(sequence: number): number {
    return this.#slots[sequence % this.#slots.length] as number;
  }

  /** Like {@link #slotOf}, for numbers whose place may have been taken by a later one. */
  #slotFrom(sequence: number): number {
    return sequence < this.#oldestSequence ? slot.answered : this.#slotOf(sequence);
  }

  #setSlot(sequence: number, known: number): void {
    this.#slots[sequence % this.#slots.length] = known;
  }
}

function fillFor(part: SequencedSegment): SequencedSegment {
  const { client, session, firstSequence, count, acknowledgedBelow, answerer } = part;
  return { kind: "fill", client, session, firstSequence, count, acknowledgedBelow, answerer };
}
