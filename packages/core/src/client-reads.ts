import type { LateReason } from "./leader-watch.js";
import type { AnswerMessage, Envelope, ReadReadyMessage, Result } from "./messages.js";
import { actorAddress } from "./roles.js";

/**
 * `linearizable`: sees everything that anybody was told before the read began. `sequential`: sees everything that
 * this client was told before, and never goes back.
 */
export type Consistency = "linearizable" | "sequential";

export interface Answered {
  readonly id: number;
  readonly result: Result;
}

/** A read whose deadline has passed. */
export interface ExpiredRead {
  readonly id: number;
  readonly reason: LateReason;
}

interface PendingRead {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly deadline: number;
  readonly consistency: Consistency;
  /** What its answerer must have applied; undefined until the leader has said so. */
  appliedBelow: number | undefined;
  /** The proposer or learner that was asked last. */
  asked: number;
  sentAt: number;
}

/** Where reads are sent at present, by index. */
export interface Destinations {
  readonly leader: number;
  readonly learner: number;
}

/** Whether those whom reads are sent to at present have kept one waiting for too long. */
export interface Silent {
  leader: boolean;
  learner: boolean;
}

/**
 * Reads of one client that are not answered. A linearizable one first asks the leader how far the log must be
 * applied; all that come in one turn ask together. Then a learner is asked, and another one if it is silent.
 */
export class ClientReads {
  readonly #askAgainMs: number;
  readonly #pending = new Map<number, PendingRead>();
  /** By the number of a request to the leader: the reads that wait for its answer. */
  readonly #requests = new Map<number, readonly PendingRead[]>();
  #nextId = 1;
  #nextRequest = 1;
  /** Nothing is due before; found anew by each tick. */
  #deadline = Number.POSITIVE_INFINITY;
  #answered: Answered[] = [];
  #expired: ExpiredRead[] = [];
  #fresh: PendingRead[] = [];

  /** Whoever does not answer within `askAgainMs` milliseconds is passed over. */
  constructor(askAgainMs: number) {
    this.#askAgainMs = askAgainMs;
  }

  get open(): number {
    return this.#pending.size;
  }

  /** When {@link tick} wants to be called; maybe too early, never too late. */
  get deadline(): number {
    return this.#pending.size === 0 ? Number.POSITIVE_INFINITY : this.#deadline;
  }

  /** Returns the read's number, under which it will be answered or expire. */
  add(
    bytes: Uint8Array,
    consistency: Consistency,
    deadline: number,
    now: number,
    observedBelow: number,
  ): number {
    const id = this.#nextId++;
    const appliedBelow = consistency === "sequential" ? observedBelow : undefined;
    const read: PendingRead = { id, bytes, deadline, consistency, appliedBelow, asked: -1, sentAt: now };
    this.#pending.set(id, read);
    this.#fresh.push(read);
    this.#watch(read);
    return id;
  }

  /** Its caller has gone. */
  forget(id: number): void {
    this.#pending.delete(id);
  }

  /** The leader has said from where on these reads may be answered. */
  ready({ id: request, readBelow }: ReadReadyMessage, now: number, observedBelow: number): void {
    for (const read of this.#requests.get(request) ?? []) {
      if (!this.#waitsForLeader(read)) continue;
      read.appliedBelow = Math.max(observedBelow, readBelow);
      read.sentAt = now;
      this.#fresh.push(read);
    }
    this.#requests.delete(request);
  }

  answer({ id, result }: AnswerMessage): void {
    if (this.#pending.delete(id)) this.#answered.push({ id, result });
  }

  /** The leader has changed: whoever waits for it asks the new one. */
  askAgain(now: number): void {
    this.#requests.clear();
    for (const read of this.#pending.values()) {
      if (read.appliedBelow === undefined) this.#retry(read, now);
    }
  }

  /** Passes deadlines, which nothing has come before for this reason, and asks again. */
  tick(now: number, to: Destinations, reason: LateReason): Silent {
    const silent: Silent = { leader: false, learner: false };
    if (now < this.deadline) return silent;
    this.#deadline = Number.POSITIVE_INFINITY;
    for (const read of this.#pending.values()) {
      if (now >= read.deadline) {
        this.#pending.delete(read.id);
        this.#expired.push({ id: read.id, reason });
        continue;
      }
      if (now >= read.sentAt + this.#askAgainMs) {
        if (read.appliedBelow === undefined) silent.leader ||= read.asked === to.leader;
        else silent.learner ||= read.asked === to.learner;
        // The leader may have died with what it had proposed: the log may never come as far as it said.
        if (read.consistency === "linearizable") read.appliedBelow = undefined;
        this.#retry(read, now);
      }
      this.#watch(read);
    }
    for (const [request, reads] of this.#requests) {
      if (!reads.some(read => this.#waitsForLeader(read))) this.#requests.delete(request);
    }
    return silent;
  }

  takeReady(to: Destinations): {
    readonly send: readonly Envelope[];
    readonly answered: readonly Answered[];
    readonly expired: readonly ExpiredRead[];
  } {
    const ready = { send: this.#sendFresh(to), answered: this.#answered, expired: this.#expired };
    if (this.#answered.length > 0) this.#answered = [];
    if (this.#expired.length > 0) this.#expired = [];
    return ready;
  }

  #waitsForLeader({ id, appliedBelow }: PendingRead): boolean {
    return appliedBelow === undefined && this.#pending.has(id);
  }

  #watch({ deadline, sentAt }: PendingRead): void {
    this.#deadline = Math.min(this.#deadline, deadline, sentAt + this.#askAgainMs);
  }

  #retry(read: PendingRead, now: number): void {
    read.sentAt = now;
    this.#fresh.push(read);
  }

  #sendFresh({ leader, learner }: Destinations): readonly Envelope[] {
    if (this.#fresh.length === 0) return nothing;
    const fresh = this.#fresh.filter(({ id }) => this.#pending.has(id));
    this.#fresh = [];
    const to = [actorAddress("learner", learner)];
    const send: Envelope[] = [];
    const asking: PendingRead[] = [];
    for (const read of fresh) {
      const { id, appliedBelow, bytes } = read;
      read.asked = appliedBelow === undefined ? leader : learner;
      if (appliedBelow === undefined) asking.push(read);
      else send.push({ to, message: { type: "query", id, appliedBelow, bytes } });
    }
    if (asking.length > 0) {
      const id = this.#nextRequest++;
      this.#requests.set(id, asking);
      send.push({ to: [actorAddress("proposer", leader)], message: { type: "read", id } });
    }
    return send;
  }
}

const nothing: readonly Envelope[] = [];
