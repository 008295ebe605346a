// The one place that constructs the roles and drives them: what a change of their interface touches.
import {
  Acceptor,
  type AcceptorRecord,
  type AcceptorState,
  type Address,
  actorAddress,
  Client,
  type CommandSegment,
  type Envelope,
  Learner,
  type Message,
  Proposer,
  type QuorumSystem,
  Replica,
  type Result,
  recoverAcceptor,
  type Topology,
} from "@synod/core";
import { describeBallot, describeEntry, describeResult, describeSequences } from "@synod/core/testing";
import { AppliedLog } from "./applied-log.js";
import { describeWords, encodeWords, wordsOf } from "./payload.js";

export interface ClusterOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  readonly mode: "basic" | "multi";
  readonly batchCommandsMax: number;
  readonly pipelineBatchesMax: number;
  readonly retransmitMs: number;
  readonly fetchAfterMs: number;
  readonly promisePartBytesMax: number;
  readonly retryAfterMs: number;
  /** Everything below was chosen, applied and trimmed before the script begins. */
  readonly firstInstance: number;
}

/** What an actor did, in words, and what it has to say to the others. */
export interface Step {
  readonly lines: readonly string[];
  readonly send: readonly Envelope[];
}

/** A role with its host. */
export interface ScriptActor {
  readonly address: Address;
  /** When {@link tick} wants to be called. */
  readonly deadline: number;
  receive(from: Address, message: Message, now: number): void;
  tick(now: number): void;
  /** Does what the role says is to be done, but for sending. */
  step(now: number): Step;
  /** A new life, with what was persisted and nothing else. Returns what it begins with. */
  restart(now: number): string;
  status(): readonly string[];
}

export class ProposerActor implements ScriptActor {
  readonly address: Address;
  #proposer: Proposer;
  #incarnation = 0;
  #state = "";
  #chosenBelow = 0;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
    readonly nextIncarnation: () => number,
  ) {
    this.address = actorAddress("proposer", index);
    this.#proposer = this.#start();
  }

  get deadline(): number {
    return this.#proposer.deadline;
  }

  campaign(now: number): void {
    this.#proposer.campaign(now);
  }

  receive(from: Address, message: Message): void {
    this.#proposer.receive(from, message);
  }

  tick(now: number): void {
    this.#proposer.tick(now);
  }

  step(now: number): Step {
    const { send } = this.#proposer.takeReady(now);
    const lines: string[] = [];
    const state = this.#describeState();
    const { chosenBelow } = this.#proposer;
    if (chosenBelow !== this.#chosenBelow) lines.push(`${this.address} knows chosen below ${chosenBelow}`);
    if (state !== this.#state) lines.push(`${this.address} is ${state}`);
    this.#state = state;
    this.#chosenBelow = chosenBelow;
    return { lines, send };
  }

  restart(): string {
    this.#proposer = this.#start();
    return `incarnation ${this.#incarnation}`;
  }

  status(): readonly string[] {
    const { ballot, state, chosenBelow, queuedCommands } = this.#proposer;
    const seen = state === "following" ? `, highest ballot ${describeBallot(ballot)}` : "";
    const queued = queuedCommands > 0 ? `, ${queuedCommands} queued` : "";
    return [`${this.#describeState()}${seen}, chosen below ${chosenBelow}${queued}`];
  }

  #describeState(): string {
    const { state, ballot } = this.#proposer;
    return state === "following" ? state : `${state} in ${describeBallot(ballot)}`;
  }

  #start(): Proposer {
    const { topology, quorums, mode, batchCommandsMax, pipelineBatchesMax, retransmitMs } = this.options;
    this.#incarnation = this.nextIncarnation();
    this.#state = "following";
    this.#chosenBelow = 0;
    return new Proposer({
      topology,
      quorums,
      index: this.index,
      incarnation: this.#incarnation,
      mode,
      batch: { commandsMax: batchCommandsMax, bytesMax: 1 << 16 },
      pipeline: { batchesMax: pipelineBatchesMax },
      retransmitMs,
    });
  }
}

export class AcceptorActor implements ScriptActor {
  readonly address: Address;
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly #records: AcceptorRecord[] = [];
  /** What a slow storage has been given and has not made safe, with the answers that wait for it. */
  #held: { readonly persist: AcceptorRecord[]; readonly send: Envelope[] } | undefined;
  #acceptor: Acceptor;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
  ) {
    this.address = actorAddress("acceptor", index);
    const { firstInstance } = options;
    if (firstInstance > 0) this.#records.push({ kind: "trim", below: firstInstance });
    this.#acceptor = this.#start(firstInstance > 0 ? recoverAcceptor(this.#records) : undefined);
  }

  receive(from: Address, message: Message): void {
    this.#acceptor.receive(from, message);
  }

  tick(): void {}

  step(): Step {
    const { persist, send } = this.#acceptor.takeReady();
    if (this.#held === undefined) return { lines: this.#persist(persist), send };
    this.#held.persist.push(...persist);
    this.#held.send.push(...send);
    const waiting = persist.map(record => `${this.address} has yet to persist ${describeRecord(record)}`);
    return { lines: waiting, send: [] };
  }

  /** From now on storage takes its time. */
  hold(): void {
    this.#held ??= { persist: [], send: [] };
  }

  /** Storage has made everything safe. */
  release(): Step {
    const { persist = [], send = [] } = this.#held ?? {};
    this.#held = undefined;
    return { lines: this.#persist(persist), send };
  }

  restart(): string {
    this.#held = undefined;
    const state = recoverAcceptor(this.#records);
    this.#acceptor = this.#start(state);
    return describeAcceptorState(state).join("; ");
  }

  status(): readonly string[] {
    return describeAcceptorState(recoverAcceptor(this.#records));
  }

  #persist(records: readonly AcceptorRecord[]): string[] {
    this.#records.push(...records);
    return records.map(record => `${this.address} persists ${describeRecord(record)}`);
  }

  #start(state: AcceptorState | undefined): Acceptor {
    const { topology, promisePartBytesMax } = this.options;
    return new Acceptor(topology, state, { promisePartBytesMax, fetchBytesMax: 1 << 16 });
  }
}

function describeRecord(record: AcceptorRecord): string {
  switch (record.kind) {
    case "promise":
      return `promise ${describeBallot(record.ballot)}`;
    case "accept":
      return describeEntry(record.entry, describeWords);
    case "trim":
      return `trim below ${record.below}`;
  }
}

function describeAcceptorState({ promised, trimmedBelow, accepted }: AcceptorState): string[] {
  const trimmed = trimmedBelow > 0 ? `, trimmed below ${trimmedBelow}` : "";
  return [
    `promised ${describeBallot(promised)}${trimmed}`,
    ...accepted.map(entry => describeEntry(entry, describeWords)),
  ];
}

/** A learner with the replica that it feeds. The state machine is a list: a command's result is its length. */
export class LearnerActor implements ScriptActor {
  readonly address: Address;
  log = new AppliedLog();
  #learner: Learner;
  #replica: Replica;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
  ) {
    this.address = actorAddress("learner", index);
    this.#learner = this.#startLearner();
    this.#replica = this.#startReplica();
  }

  get deadline(): number {
    return this.#learner.deadline;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "query") this.#replica.receive(from, message);
    else this.#learner.receive(from, message, now);
  }

  tick(now: number): void {
    this.#learner.tick(now);
  }

  step(): Step {
    const { chosen, send } = this.#learner.takeReady();
    const lines: string[] = [];
    for (const entry of chosen) {
      lines.push(`${this.address} learns ${describeEntry(entry, describeWords)}`);
      this.#replica.apply(entry);
      for (const skipped of this.log.add(entry)) lines.push(`${this.address} does not apply ${skipped}`);
    }
    return { lines, send: [...send, ...this.#replica.takeReady().send] };
  }

  restart(): string {
    this.log = new AppliedLog();
    this.#learner = this.#startLearner();
    this.#replica = this.#startReplica();
    return "an empty log";
  }

  status(): readonly string[] {
    const { chosenBelow, trimmedBelow } = this.#learner;
    const trimmed = trimmedBelow > 0 ? `, acceptors have trimmed below ${trimmedBelow}` : "";
    return [`chosen below ${chosenBelow}, applied below ${this.#replica.appliedBelow}${trimmed}`];
  }

  #startLearner(): Learner {
    const { topology, quorums, fetchAfterMs, firstInstance } = this.options;
    return new Learner({ topology, quorums, fetchAfterMs }, firstInstance);
  }

  #startReplica(): Replica {
    return new Replica(this.index, {
      apply: (segment: CommandSegment, skip: number, firstInstance: number): readonly Result[] =>
        wordsOf(segment, skip).map((word, position) => this.log.apply(word, firstInstance + position)),
      query: () => `[${this.log.words.join(", ")}]`,
    });
  }
}

export class ClientActor implements ScriptActor {
  readonly address: Address;
  readonly #client: Client;
  #state = "opening";
  #nextQuery = 1;
  #ask: Envelope[] = [];
  #answers: string[] = [];

  constructor(
    options: ClusterOptions,
    index: number,
    answerer: number,
    readonly now: number,
  ) {
    this.#client = new Client({
      topology: options.topology,
      client: index,
      windowCommandsMax: 8,
      retryAfterMs: options.retryAfterMs,
      retryAfterMsMax: 8 * options.retryAfterMs,
      answerer,
    });
    this.address = this.#client.address;
    this.#client.open(now);
  }

  get deadline(): number {
    return this.#client.deadline;
  }

  get room(): number {
    return this.#client.room;
  }

  submit(words: readonly string[], timeoutMs: number, now: number): void {
    const deadlines = words.map(() => now + timeoutMs);
    this.#client.submit(encodeWords(words), deadlines, now);
  }

  /** The caller has gone. */
  abandon(sequence: number): void {
    this.#client.abandon(sequence);
  }

  query(learner: Address = this.#client.answerer): void {
    const { observedBelow } = this.#client;
    const message = { id: this.#nextQuery++, appliedBelow: observedBelow, bytes: new Uint8Array() };
    this.#ask.push({ to: [learner], message: { type: "query", ...message } });
  }

  close(): void {
    this.#client.close();
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type !== "answer") return this.#client.receive(from, message, now);
    this.#client.observe(message.appliedBelow);
    this.#answers.push(`${this.address} reads ${describeResult(message.result)}`);
  }

  tick(now: number): void {
    this.#client.tick(now);
  }

  step(): Step {
    const { send, settled, expired } = this.#client.takeReady();
    const session = this.#client.session ?? -1;
    const lines = this.#answers;
    for (const { firstSequence, results } of settled) {
      const sequences = describeSequences(session, firstSequence, results.length);
      lines.push(`${this.address} gets ${sequences} = ${results.map(describeResult).join(", ")}`);
    }
    for (const sequence of expired) lines.push(`${this.address} gives up ${session}:${sequence}`);
    const { state } = this.#client;
    if (state !== this.#state) {
      lines.push(`${this.address} is ${state}${state === "open" ? `, session ${session}` : ""}`);
      this.#state = state;
    }
    this.#answers = [];
    const ask = this.#ask;
    this.#ask = [];
    return { lines, send: [...send, ...ask] };
  }

  restart(): string {
    throw new Error("a client that is gone is not started again: connect another one");
  }

  status(): readonly string[] {
    const { state, session, unanswered, observedBelow, answerer } = this.#client;
    const open = session === undefined ? state : `${state}, session ${session}`;
    return [`${open}, ${unanswered} unanswered, has seen below ${observedBelow}, answered by ${answerer}`];
  }
}
