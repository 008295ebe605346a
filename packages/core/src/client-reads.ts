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

interface PendingRead {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly deadline: number;
  readonly consistency: Consistency;
  /** What its answerer must have applied; undefined until the leader has said so. */
  appliedBelow: number | undefined;
  /** The request to the leader that this read waits for; 0 when it is in none. */
  request: number;
  learner: number;
  sentAt: number;
}

/** Where reads are sent at present. */
export interface Destinations {
  readonly leader: number;
  readonly learner: number;
  readonly learners: number;
  /** Everything that the client has seen the effect of is below. */
  readonly observedBelow: number;
}

/**
 * Reads of one client that are not answered. A linearizable one first asks the leader how far the log must be
 * applied; all that come in one turn ask together. Then a learner is asked, and another one if it is silent.
 */
export class ClientReads {
  readonly #askAgainMs: number;
  readonly #pending = new Map<number, PendingRead>();
  #nextId = 1;
  #nextRequest = 1;
  #answered: Answered[] = [];
  #expired: number[] = [];
  #fresh: PendingRead[] = [];

  /** Whoever does not answer within `askAgainMs` milliseconds is passed over. */
  constructor(askAgainMs: number) {
    this.#askAgainMs = askAgainMs;
  }

  get open(): number {
    return this.#pending.size;
  }

  get deadline(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { deadline, sentAt } of this.#pending.values()) {
      earliest = Math.min(earliest, deadline, sentAt + this.#askAgainMs);
    }
    return earliest;
  }

  /** Returns the read's number, under which it will be answered or expire. */
  add(bytes: Uint8Array, consistency: Consistency, deadline: number, now: number, to: Destinations): number {
    const id = this.#nextId++;
    const read: PendingRead = {
      id,
      bytes,
      deadline,
      consistency,
      appliedBelow: consistency === "sequential" ? to.observedBelow : undefined,
      request: 0,
      learner: to.learner,
      sentAt: now,
    };
    this.#pending.set(id, read);
    this.#fresh.push(read);
    return id;
  }

  /** Its caller has gone. */
  forget(id: number): void {
    this.#pending.delete(id);
  }

  /** The leader has said from where on these reads may be answered. */
  ready({ id: request, readBelow }: ReadReadyMessage, now: number, { observedBelow }: Destinations): void {
    for (const read of this.#pending.values()) {
      if (read.request !== request || read.appliedBelow !== undefined) continue;
      read.appliedBelow = Math.max(observedBelow, readBelow);
      read.sentAt = now;
      this.#fresh.push(read);
    }
  }

  answer({ id, result }: AnswerMessage): void {
    if (this.#pending.delete(id)) this.#answered.push({ id, result });
  }

  /** The leader has changed: whoever waits for it asks the new one. */
  askAgain(now: number): void {
    for (const read of this.#pending.values()) {
      if (read.appliedBelow === undefined) this.#retry(read, now);
    }
  }

  /** Passes deadlines and asks again. Returns whether the leader has kept somebody waiting for too long. */
  tick(now: number, { learners }: Destinations): boolean {
    let leaderIsSilent = false;
    for (const read of this.#pending.values()) {
      if (read.deadline <= now) {
        this.#pending.delete(read.id);
        this.#expired.push(read.id);
      } else if (read.sentAt + this.#askAgainMs <= now) {
        if (read.appliedBelow === undefined) leaderIsSilent = true;
        else read.learner = (read.learner + 1) % learners;
        // The leader may have died with what it had proposed: the log may never come as far as it said.
        if (read.consistency === "linearizable") read.appliedBelow = undefined;
        this.#retry(read, now);
      }
    }
    return leaderIsSilent;
  }

  takeReady({ leader }: Destinations): {
    readonly send: readonly Envelope[];
    readonly answered: readonly Answered[];
    readonly expired: readonly number[];
  } {
    const ready = { send: this.#sendFresh(leader), answered: this.#answered, expired: this.#expired };
    if (this.#answered.length > 0) this.#answered = [];
    if (this.#expired.length > 0) this.#expired = [];
    return ready;
  }

  #retry(read: PendingRead, now: number): void {
    read.sentAt = now;
    read.request = 0;
    this.#fresh.push(read);
  }

  #sendFresh(leader: number): readonly Envelope[] {
    if (this.#fresh.length === 0) return this.#nothing;
    const send: Envelope[] = [];
    let request = 0;
    for (const read of this.#fresh) {
      if (!this.#pending.has(read.id)) continue;
      const { id, appliedBelow, bytes } = read;
      if (appliedBelow !== undefined) {
        const to = [actorAddress("learner", read.learner)];
        send.push({ to, message: { type: "query", id, appliedBelow, bytes } });
        continue;
      }
      if (request === 0) {
        request = this.#nextRequest++;
        send.push({ to: [actorAddress("proposer", leader)], message: { type: "read", id: request } });
      }
      read.request = request;
    }
    this.#fresh = [];
    return send;
  }

  readonly #nothing: readonly Envelope[] = [];
}
