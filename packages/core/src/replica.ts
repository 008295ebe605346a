import { assertNever } from "./assert.js";
import type { KeepAliveSegment, OpenSegment, Segment, SequencedSegment } from "./batch.js";
import type { AcceptedEntry, Address, Envelope, Message, QueryMessage, Result, Results } from "./messages.js";
import { noSamples, ResultSamples, type SampleOptions, type SamplesState } from "./result-samples.js";
import { clientAddress } from "./roles.js";
import { type ApplyCommands, type SessionState, SessionTable } from "./sessions.js";

const nobody: ReadonlySet<number> = new Set();

interface PendingQuery {
  readonly from: Address;
  readonly query: QueryMessage;
}

/** What a replica needs of the state machine's host. */
export interface StateMachineHost {
  apply: ApplyCommands;
  /**
   * Answers a query from what is applied up to `instance`, at logical time `timeMs`, in milliseconds; -1 and 0 before
   * anything was applied. Logical time stands still while nothing is proposed: a host that has a clock may go by
   * whichever is later. Never throws: a failure is a result.
   */
  query(bytes: Uint8Array, instance: number, timeMs: number): Result;
}

/** What a snapshot holds besides the state machine's own state: plain data, the same on every replica. */
export interface ReplicaState {
  readonly appliedBelow: number;
  readonly appliedCommands: number;
  /** Logical time, in milliseconds. */
  readonly timeMs: number;
  readonly sessions: readonly SessionState[];
  readonly samples: SamplesState;
}

export interface ReplicaOptions {
  /** Index of the learner that it belongs to. */
  readonly learner: number;
  readonly host: StateMachineHost;
  /** Sessions expire after so many milliseconds of logical time: the same on every replica. */
  readonly sessionTimeoutMs: number;
  /** Other learners for which this one answers at present; looked at whenever there is something to answer. */
  readonly standsInFor?: ReadonlySet<number>;
  /** Given, results are sampled, so that replicas can be compared. */
  readonly samples?: SampleOptions;
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
  readonly #standsInFor: ReadonlySet<number>;
  readonly #sessions: SessionTable;
  readonly #samples: ResultSamples | undefined;
  #appliedBelow: number;
  #appliedCommands: number;
  /** Logical time: the leaders' stamps, made never to go back. */
  #timeMs: number;
  #queries: PendingQuery[] = [];
  /** Nothing of what waits can be answered before this much is applied. */
  #queriesWaitFor = Number.POSITIVE_INFINITY;
  #send: Envelope[] = [];

  /** With `state` it goes on where {@link snapshot} was taken; the state machine must have been restored to there. */
  constructor(options: ReplicaOptions, state?: ReplicaState) {
    const { learner, host, sessionTimeoutMs, standsInFor, samples } = options;
    this.#learner = learner;
    this.#host = host;
    this.#standsInFor = standsInFor ?? nobody;
    this.#sessions = new SessionTable(sessionTimeoutMs, state?.sessions);
    this.#samples = samples && new ResultSamples(samples, state?.samples);
    this.#appliedBelow = state?.appliedBelow ?? 0;
    this.#appliedCommands = state?.appliedCommands ?? 0;
    this.#timeMs = state?.timeMs ?? 0;
  }

  /** Every instance below is applied here. */
  get appliedBelow(): number {
    return this.#appliedBelow;
  }

  /** Commands that took effect: neither duplicates nor fills nor no-ops. */
  get appliedCommands(): number {
    return this.#appliedCommands;
  }

  /** Logical time, in milliseconds: never goes back. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /** Queries wait for something to be applied. */
  get hasWaitingQueries(): boolean {
    return this.#queries.length > 0;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Of the results so far; undefined when they are not sampled. */
  get samples(): ResultSamples | undefined {
    return this.#samples;
  }

  /** Everything that a replica must know to go on from here, sessions included. Queries that wait are not part of it. */
  snapshot(): ReplicaState {
    return {
      appliedBelow: this.#appliedBelow,
      appliedCommands: this.#appliedCommands,
      timeMs: this.#timeMs,
      sessions: this.#sessions.state(),
      samples: this.#samples?.state() ?? noSamples,
    };
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

  #run(segment: SequencedSegment, skip: number, firstInstance: number): Results {
    if (segment.kind === "fill") return new Array<Result>(segment.count - skip).fill(undefined);
    this.#appliedCommands += segment.count - skip;
    const results = this.#host.apply(segment, skip, firstInstance, this.#timeMs);
    this.#samples?.add(firstInstance, results);
    return results;
  }

  /** Duplicates are answered from what was stored when they were applied. */
  #answerAgain(segment: SequencedSegment, count: number): void {
    if (!this.#isAnswerer(segment)) return;
    for (const run of this.#sessions.stored(segment.session, segment.firstSequence, count)) {
      this.#respond(segment, run.firstSequence, run.results);
    }
  }

  #respond(segment: SequencedSegment, firstSequence: number, results: Results): void {
    const { session } = segment;
    const appliedBelow = this.#appliedBelow;
    this.#answer(segment, { type: "response", session, firstSequence, results, appliedBelow });
  }

  #answer(segment: SequencedSegment | OpenSegment | KeepAliveSegment, message: Message): void {
    if (!this.#isAnswerer(segment)) return;
    this.#send.push({ to: [clientAddress(segment.client)], message });
  }

  #isAnswerer({ answerer }: { readonly answerer: number }): boolean {
    return answerer === this.#learner || this.#standsInFor.has(answerer);
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
      const result = this.#host.query(bytes, this.#appliedBelow - 1, this.#timeMs);
      this.#send.push({
        to: [entry.from],
        message: { type: "answer", id, result, appliedBelow: this.#appliedBelow },
      });
    }
    this.#queries = waiting;
  }
}
