import { type Address, actorAddress, type Ballot, Client, type Consistency, type Message } from "@synod/core";
import { describeResult, describeSequences } from "@synod/core/testing";
import { encodeWords } from "../payload.js";
import type { ClusterOptions, ScriptActor, Step } from "./script-actor.js";

/** Within the time after which its session expires, a client says so often that it lives. */
const keepAlivesPerTimeout = 4;

export class ClientActor implements ScriptActor {
  readonly address: Address;
  readonly #client: Client;
  #state = "opening";

  constructor(
    readonly options: ClusterOptions,
    index: number,
    answerer: number,
    readonly now: number,
  ) {
    const {
      topology,
      leaseMs,
      retryAfterMs,
      windowCommandsMax,
      sessionTimeoutMs,
      batchCommandsMax,
      adaptive,
    } = options;
    this.#client = new Client({
      topology,
      client: index,
      windowCommandsMax,
      leaseMs,
      retryAfterMs,
      retryAfterMsMax: 8 * retryAfterMs,
      keepAliveMs: sessionTimeoutMs / keepAlivesPerTimeout,
      answerer,
      batch: { commandsMax: batchCommandsMax, adaptive },
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

  read(consistency: Consistency, timeoutMs: number, now: number): void {
    this.#client.read(new Uint8Array(), consistency, now + timeoutMs, now);
  }

  /** As if the proposer that it talks to had named that one as leader. */
  redirect(leader: number, ballot: Ballot, now: number): void {
    const message = { type: "notLeader", ballot, leader, forwarded: false } as const;
    for (let proposer = 0; proposer < this.options.topology.proposers; proposer++) {
      if (proposer !== leader) this.#client.receive(actorAddress("proposer", proposer), message, now);
    }
  }

  close(): void {
    this.#client.close();
  }

  receive(from: Address, message: Message, now: number): void {
    this.#client.receive(from, message, now);
  }

  tick(now: number): void {
    this.#client.tick(now);
  }

  step(): Step {
    const { send, settled, expired, answered, expiredReads } = this.#client.takeReady();
    const { address } = this;
    const session = this.#client.session ?? -1;
    const lines = answered.map(({ result }) => `${address} reads ${describeResult(result)}`);
    for (const { firstSequence, results } of settled) {
      const sequences = describeSequences(session, firstSequence, results.length);
      lines.push(`${address} gets ${sequences} = ${Array.from(results, describeResult).join(", ")}`);
    }
    for (const { sequence, reason } of expired) {
      lines.push(`${address} gives up ${session}:${sequence}: ${reason}`);
    }
    for (const { id, reason } of expiredReads) lines.push(`${address} gives up read ${id}: ${reason}`);
    const { state } = this.#client;
    if (state !== this.#state) {
      lines.push(`${address} is ${state}${state === "open" ? `, session ${session}` : ""}`);
      this.#state = state;
    }
    return { lines, send };
  }

  restart(): string {
    throw new Error("a client that is gone is not started again: connect another one");
  }

  status(): readonly string[] {
    const { state, session, unanswered, openReads, observedBelow } = this.#client;
    const open = session === undefined ? state : `${state}, session ${session}`;
    const reads = openReads > 0 ? `, ${openReads} ${openReads === 1 ? "read" : "reads"} open` : "";
    return [`${open}, ${unanswered} unanswered${reads}, has seen below ${observedBelow}`];
  }
}
