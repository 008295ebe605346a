import type { Address } from "@synod/core";
import * as Comlink from "comlink";
import type { ActorControl, ActorSpec, ConnectionEnds } from "./actor.js";
import type { ActorLink } from "./actor-link.js";
import type { ActorStatus } from "./actor-status.js";
import { lostWakeUpsOf } from "./mailbox/index.js";
import { ActorMetrics } from "./metrics/actor-metrics.js";
import { type ActorMetricsSnapshot, snapshotOfActor } from "./metrics/snapshot.js";
import { portsOf, type WiredActor } from "./wiring.js";

/** Incarnations, over all clusters of the process: a ballot is never used twice. */
let incarnations = 0;

/** An actor's end of the connections to a client; `renew` makes new ones for an actor's next life. */
interface AttachedClient {
  readonly ends: ConnectionEnds;
  readonly renew: (() => ConnectionEnds) | undefined;
}

/** What a supervised actor is made of. */
export interface SupervisedActorParts {
  readonly wired: WiredActor;
  /** All that is the same in each life. */
  readonly spec: Omit<ActorSpec, "incarnation" | "control">;
  /** False for an actor that must not come back: what it has to remember dies with its thread. */
  readonly survives: boolean;
  /** The ends of its connections to other actors, for a first life or a later one. */
  readonly connections: (isFirst: boolean) => ConnectionEnds[];
}

/** The thread that an actor is on, as far as the actor goes. */
export interface HostingThread {
  /** `running` once all its actors have started: only then are they to be asked about their roles. */
  readonly state: "starting" | "running" | "restarting" | "failed" | "stopped";
  readonly lastEnd: string | null;
  /** Why there is no thread. */
  readonly error: string | undefined;
  link(actor: Address): ActorLink | undefined;
  /** An answer; where the thread ended before it gave one, its end has been dealt with when this settles. */
  dealtWith<T>(asked: Promise<T | undefined>): Promise<T | undefined>;
}

/** One actor through all its lives, on whichever thread: what it is given in each, and what can be asked of it. */
export class SupervisedActor {
  readonly wired: WiredActor;
  readonly #parts: SupervisedActorParts;
  readonly #metrics: ActorMetrics;
  readonly #clients = new Map<Address, AttachedClient>();
  #thread: HostingThread | undefined;
  #incarnation = 0;
  #lives = 0;
  /** Why it has no further life. */
  #failure: string | undefined;

  constructor(parts: SupervisedActorParts) {
    this.wired = parts.wired;
    this.#parts = parts;
    this.#metrics = new ActorMetrics(parts.spec.metrics);
  }

  /** Call once, before anything else. */
  hostedBy(thread: HostingThread): void {
    this.#thread = thread;
  }

  /** False when it must not come back. */
  get survives(): boolean {
    return this.#parts.survives;
  }

  /** It stays down. */
  fail(reason: string): void {
    this.#failure = reason;
  }

  /** Why it stays down. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  /** What its next life is made of. Call once for each. */
  nextLife(): Omit<ActorSpec, "control"> {
    this.#lives += 1;
    this.#incarnation = ++incarnations;
    return { ...this.#parts.spec, incarnation: this.#incarnation };
  }

  /** All ends that this life opens. Call once for each. */
  connections(): ConnectionEnds[] {
    const isFirst = this.#lives === 1;
    const connections = this.#parts.connections(isFirst);
    for (const [peer, { ends, renew }] of this.#clients) {
      const next = isFirst ? ends : (renew?.() ?? ends);
      this.#clients.set(peer, { ends: next, renew });
      connections.push(next);
    }
    return connections;
  }

  /** Gives it the ends of a connection, now or, while it is down, at its next start. Does not wait for long. */
  async attach(ends: ConnectionEnds, renew?: () => ConnectionEnds): Promise<void> {
    this.#clients.set(ends.peer, { ends, renew });
    await this.replaceEnds(ends);
  }

  async detach(peer: Address): Promise<void> {
    this.#clients.delete(peer);
    await this.ask(control => control.detach(peer));
  }

  /** Gives it new ends for this life. */
  async replaceEnds(ends: ConnectionEnds): Promise<void> {
    await this.ask(control => control.attach(Comlink.transfer(ends, portsOf([ends]))));
  }

  /** Undefined when it is down, or does not answer in time. */
  async ask<T>(
    question: (control: Comlink.Remote<ActorControl>) => Promise<T>,
    withinMs?: number,
  ): Promise<T | undefined> {
    const link = this.#host.link(this.wired.name);
    return link && this.#host.dealtWith(link.ask(question, withinMs));
  }

  /** Whether its thread is up and it has started: only then is it to be asked about its role. */
  get isRunning(): boolean {
    return this.#host.state === "running" && !this.hasFailed;
  }

  async status(): Promise<ActorStatus> {
    const answer = this.isRunning ? await this.ask(control => control.status()) : undefined;
    const { name, role, thread, doorbell } = this.wired;
    const { state, lastEnd } = this.#host;
    const error = this.#failure ?? this.#host.error;
    return {
      name,
      role,
      thread,
      state: this.isRunning ? "unresponsive" : this.hasFailed ? "failed" : state,
      incarnation: this.#incarnation,
      restarts: Math.max(0, this.#lives - 1),
      lastEnd,
      lostWakeUps: lostWakeUpsOf(doorbell),
      ...(error === undefined ? {} : { error }),
      ...(this.isRunning ? answer : {}),
    };
  }

  /** What it has counted in all its lives, also while it is down, and what its status says. */
  async metrics(): Promise<ActorMetricsSnapshot> {
    const status = await this.status();
    return snapshotOfActor(this.#metrics, status);
  }

  get #host(): HostingThread {
    if (this.#thread === undefined) throw new Error(`${this.wired.name} has no thread`);
    return this.#thread;
  }
}
