import { assertNever } from "./assert.js";
import type { KeepAliveSegment, OpenSegment, Segment, SequencedSegment } from "./batch.js";
import type { AcceptedEntry, Address, Envelope, Message, QueryMessage, Result } from "./messages.js";
import { clientAddress } from "./roles.js";
import { type ApplyCommands, SessionTable } from "./sessions.js";

interface PendingQuery {
  readonly from: Address;
  readonly query: QueryMessage;
}

/** What a replica needs of the state machine's host. */
export interface StateMachineHost {
  apply: ApplyCommands;
  /** Never throws: a failure is a result. */
  query(bytes: Uint8Array): Result;
}

/**
 * Applies chosen values in order to one copy of the state machine, answers the clients that named this learner,
 * and answers queries. Replicas that applied the same prefix of the log are equal.
 *
 * Source: Schneider, "Implementing Fault-Tolerant Services Using the State Machine Approach"; "Paxos Made
 * Simple", section 3.
 */
export class Replica {
  readonly #learner: number;
  readonly #host: StateMachineHost;
  readonly #sessions: SessionTable;
  #appliedBelow = 0;
  #appliedCommands = 0;
  /** Logical time: the leaders' stamps, made never to go back. */
  #timeMs = 0;
  #queries: PendingQuery[] = [];
  /** Nothing of what waits can be answered before this much is applied. */
  #queriesWaitFor = Number.POSITIVE_INFINITY;
  #send: Envelope[] = [];

  /** Sessions expire after `sessionTimeoutMs` milliseconds of logical time: the same on every replica. */
  constructor(learner: number, host: StateMachineHost, sessionTimeoutMs: number) {
    this.#learner = learner;
    this.#host = host;
    this.#sessions = new SessionTable(sessionTimeoutMs);
  }

  /** Every instance below is applied here. */
  get appliedBelow(): number {
    return this.#appliedBelow;
  }

  /** Commands that took effect: neither duplicates nor fills nor no-ops. */
  get appliedCommands(): number {
    return this.#appliedCommands;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Applies the values of the next instances. */
  apply(entry: AcceptedEntry): void {
    this.#timeMs = Math.max(this.#timeMs, entry.batch.timeMs);
    this.#sessions.expire(this.#timeMs);
    let instance = entry.firstInstance;
    for (const segment of entry.batch.segments) {
      this.#appliedBelow = instance + segment.count;
      this.#applySegment(segment, instance, entry);
      instance += segment.count;
    }
    this.#answerQueries();
  }

  receive(from: Address, message: QueryMessage): void {
    this.#queries.push({ from, query: message });
    this.#queriesWaitFor = Math.min(this.#queriesWaitFor, message.appliedBelow);
    this.#answerQueries();
  }

  takeReady(): { readonly send: readonly Envelope[] } {
    const send = this.#send;
    this.#send = [];
    return { send };
  }

  #applySegment(segment: Segment, instance: number, entry: AcceptedEntry): void {
    switch (segment.kind) {
      case "noop":
        return;
      case "open":
        this.#sessions.open(instance, this.#timeMs);
        return this.#answer(segment, { type: "sessionOpened", session: instance });
      case "close":
        return this.#sessions.close(segment.session);
      case "keepAlive": {
        const { session } = segment;
        if (!this.#sessions.touch(session, this.#timeMs)) {
          this.#answer(segment, { type: "sessionExpired", session });
        }
        return;
      }
      case "commands":
      case "fill":
        return this.#applySequenced(segment, instance, entry);
      default:
        return assertNever(segment);
    }
  }

  #applySequenced(segment: SequencedSegment, instance: number, entry: AcceptedEntry): void {
    const { session } = segment;
    this.#sessions.touch(session, this.#timeMs);
    const admission = this.#sessions.admit(segment, entry.ballot);
    switch (admission.kind) {
      case "unknownSession":
        return this.#answer(segment, { type: "sessionExpired", session });
      case "gap": {
        const { expected, first } = admission;
        const { ballot } = entry;
        if (first) this.#answer(segment, { type: "sequenceGap", session, expected, ballot });
        return;
      }
      case "apply": {
        const { skip } = admission;
        if (skip > 0) this.#answerAgain(segment, skip);
        const firstSequence = segment.firstSequence + skip;
        const results = skip === segment.count ? [] : this.#run(segment, skip, instance + skip);
        this.#sessions.record(segment, firstSequence, results);
        if (results.length > 0) this.#respond(segment, firstSequence, results);
        return;
      }
      default:
        return assertNever(admission);
    }
  }

  #run(segment: SequencedSegment, skip: number, firstInstance: number): readonly Result[] {
    if (segment.kind === "fill") return new Array<Result>(segment.count - skip).fill(undefined);
    this.#appliedCommands += segment.count - skip;
    return this.#host.apply(segment, skip, firstInstance, this.#timeMs);
  }

  /** Duplicates are answered from what was stored when they were applied. */
  #answerAgain(segment: SequencedSegment, count: number): void {
    if (segment.answerer !== this.#learner) return;
    for (const run of this.#sessions.stored(segment.session, segment.firstSequence, count)) {
      this.#respond(segment, run.firstSequence, run.results);
    }
  }

  #respond(segment: SequencedSegment, firstSequence: number, results: readonly Result[]): void {
    const { session } = segment;
    const appliedBelow = this.#appliedBelow;
    this.#answer(segment, { type: "response", session, firstSequence, results, appliedBelow });
  }

  #answer(segment: SequencedSegment | OpenSegment | KeepAliveSegment, message: Message): void {
    if (segment.answerer !== this.#learner) return;
    this.#send.push({ to: [clientAddress(segment.client)], message });
  }

  /** A client never goes back: its query waits until what it has seen is applied here. */
  #answerQueries(): void {
    if (this.#queriesWaitFor > this.#appliedBelow) return;
    const waiting: PendingQuery[] = [];
    this.#queriesWaitFor = Number.POSITIVE_INFINITY;
    for (const entry of this.#queries) {
      if (entry.query.appliedBelow > this.#appliedBelow) {
        waiting.push(entry);
        this.#queriesWaitFor = Math.min(this.#queriesWaitFor, entry.query.appliedBelow);
        continue;
      }
      const { id, bytes } = entry.query;
      const result = this.#host.query(bytes);
      this.#send.push({
        to: [entry.from],
        message: { type: "answer", id, result, appliedBelow: this.#appliedBelow },
      });
    }
    this.#queries = waiting;
  }
}
