import type { Address } from "@synod/core";
import * as Comlink from "comlink";
import type { ActorControl, ActorSpec, ConnectionEnds, StartFailure } from "./actor.js";
import type { ActorStatus } from "./actor-status.js";
import { ActorThread, type End } from "./actor-thread.js";
import { monotonicMs } from "./clock.js";
import { SynodError } from "./errors.js";
import type { Emit } from "./events.js";
import { lostWakeUpsOf } from "./mailbox/index.js";
import { ActorMetrics } from "./metrics/actor-metrics.js";
import { type ActorMetricsSnapshot, snapshotOfActor } from "./metrics/snapshot.js";
import { runtimeLimits } from "./options.js";
import { RestartPolicy } from "./restart-policy.js";
import type { RoleNotice } from "./role-host.js";
import { portsOf, type WiredActor } from "./wiring.js";

/** Incarnations, over all clusters of the process: a ballot is never used twice. */
let incarnations = 0;

interface Alive {
  readonly state: "starting" | "running";
  readonly thread: ActorThread;
  /** Settles once the end of the thread has been dealt with. */
  readonly over: Promise<void>;
}

type Phase =
  | Alive
  | { readonly state: "restarting"; readonly reason: string }
  | { readonly state: "failed"; readonly reason: string }
  | { readonly state: "stopped" };

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
  readonly emit: Emit;
  readonly onNotice: (notice: RoleNotice) => void;
}

/** One actor through all its lives: runs its thread, sees it end, and runs the next one. */
export class SupervisedActor {
  readonly wired: WiredActor;
  readonly #parts: SupervisedActorParts;
  readonly #policy: RestartPolicy;
  readonly #metrics: ActorMetrics;
  readonly #clients = new Map<Address, AttachedClient>();
  #phase: Phase = { state: "restarting", reason: "it has not started" };
  #incarnation = 0;
  #restarts = 0;
  #lastEnd: string | null = null;
  #downSinceMs = 0;
  #isClosing = false;
  /** Ends the wait for a restart. */
  #wake: (() => void) | undefined;
  #career: Promise<void> | undefined;

  constructor(parts: SupervisedActorParts) {
    this.wired = parts.wired;
    this.#parts = parts;
    this.#metrics = new ActorMetrics(parts.spec.metrics);
    this.#policy = new RestartPolicy(parts.spec.options.restarts);
  }

  /** Runs the actor from now on; resolves once it has started, or with the reason why it has not. */
  start(): Promise<StartFailure | undefined> {
    return new Promise(resolve => {
      this.#career = this.#live(resolve);
    });
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
    const phase = this.#phase;
    return "thread" in phase ? dealtWith(phase, phase.thread.ask(question, withinMs)) : undefined;
  }

  /** Whether its thread is up and has started: only then is it to be asked about its role. */
  get isRunning(): boolean {
    return this.#phase.state === "running";
  }

  async status(): Promise<ActorStatus> {
    const answer = this.isRunning ? await this.ask(control => control.status()) : undefined;
    const { name, role, doorbell } = this.wired;
    return {
      name,
      role,
      state: this.isRunning ? "unresponsive" : this.#phase.state,
      incarnation: this.#incarnation,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
      lostWakeUps: lostWakeUpsOf(doorbell),
      ...("reason" in this.#phase ? { error: this.#phase.reason } : {}),
      ...(this.isRunning ? answer : {}),
    };
  }

  /** What it has counted in all its lives, also while it is down, and what its status says. */
  async metrics(): Promise<ActorMetricsSnapshot> {
    const status = await this.status();
    return snapshotOfActor(this.#metrics, status);
  }

  /** Ends its thread, if it has one; resolves when it has exited. */
  async kill(reason: string): Promise<void> {
    const phase = this.#phase;
    if (!("thread" in phase)) return;
    await phase.thread.kill({ reason, deliberate: true });
    await phase.over;
  }

  /** Blocks its thread; resolves when that has begun. @throws SynodError `ACTOR_FAILED`, `TIMEOUT` */
  async stall(ms: number): Promise<void> {
    const { name } = this.wired;
    const phase = this.#phase;
    if ("thread" in phase) {
      if (await dealtWith(phase, phase.thread.stall(ms, runtimeLimits.slowAnswerWithinMs))) return;
      if (this.#phase === phase) {
        throw new SynodError("TIMEOUT", `${name} does not answer: it has not begun to stall`);
      }
    }
    throw new SynodError("ACTOR_FAILED", `${name} is down: it cannot stall`);
  }

  /** Stops it; what has not ended by itself is terminated. Resolves when no thread is left. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wake?.();
    const phase = this.#phase;
    if ("thread" in phase) {
      phase.thread.stop();
      const late = setTimeout(() => {
        void phase.thread.kill({ reason: "it did not stop", deliberate: true });
      }, runtimeLimits.stopWithinMs);
      await phase.over;
      clearTimeout(late);
    }
    await this.#career;
  }

  /** Life after life. Never rejects. */
  async #live(onStarted: (failure: StartFailure | undefined) => void): Promise<void> {
    for (let isFirst = true; !this.#isClosing; isFirst = false) {
      const end = await this.#liveOnce(isFirst, onStarted);
      if (end === undefined) return;
      if (end > 0) await this.#sleep(end);
    }
    this.#phase = { state: "stopped" };
  }

  /** One life; how long to wait for the next one, in milliseconds, or undefined when there is none. */
  async #liveOnce(
    isFirst: boolean,
    onStarted: (failure: StartFailure | undefined) => void,
  ): Promise<number | undefined> {
    let settle = (): void => {};
    const over = new Promise<void>(resolve => {
      settle = resolve;
    });
    if (!isFirst) this.#restarts += 1;
    this.#incarnation = ++incarnations;
    const spec = { ...this.#parts.spec, incarnation: this.#incarnation };
    const thread = new ActorThread(spec, this.#parts.onNotice);
    this.#phase = { state: "starting", thread, over };
    const hasStarted = await thread.start(this.#connections(isFirst));
    if (hasStarted) {
      this.#phase = { state: "running", thread, over };
      if (isFirst) onStarted(undefined);
      else this.#emitUp();
    }
    const end = await thread.ended;
    const neverStarted = isFirst && !hasStarted;
    const delayMs = neverStarted || this.#isClosing ? undefined : this.#delayMs(end);
    this.#down(end, delayMs, neverStarted);
    if (neverStarted) onStarted(startFailureOf(this.wired.name, end));
    settle();
    return delayMs;
  }

  /** All ends that a new life opens. */
  #connections(isFirst: boolean): ConnectionEnds[] {
    const connections = this.#parts.connections(isFirst);
    for (const [peer, { ends, renew }] of this.#clients) {
      const next = isFirst ? ends : (renew?.() ?? ends);
      this.#clients.set(peer, { ends: next, renew });
      connections.push(next);
    }
    return connections;
  }

  /** Undefined when there must be no next life. */
  #delayMs(end: End): number | undefined {
    if (!this.#parts.survives) return undefined;
    return end.deliberate ? 0 : this.#policy.delayMs(monotonicMs());
  }

  #down({ reason }: End, delayMs: number | undefined, neverStarted: boolean): void {
    const actor = this.wired.name;
    this.#lastEnd = reason;
    this.#downSinceMs = monotonicMs();
    if (this.#isClosing) {
      this.#phase = { state: "stopped" };
      return;
    }
    if (delayMs !== undefined) {
      this.#phase = { state: "restarting", reason };
      this.#parts.emit("actorDown", { actor, reason, willRestart: true });
      return;
    }
    const failure = neverStarted ? reason : `${reason}; ${this.#whyForGood()}`;
    this.#phase = { state: "failed", reason: failure };
    this.#parts.emit("actorDown", { actor, reason, willRestart: false });
    this.#parts.emit("actorFailed", { actor, reason: failure });
  }

  #whyForGood(): string {
    if (!this.#parts.survives) return "what it has promised died with it, so it must not vote again";
    const { max, windowMs } = this.#parts.spec.options.restarts;
    return `it was restarted ${max} times within ${windowMs} ms`;
  }

  #emitUp(): void {
    const downMs = monotonicMs() - this.#downSinceMs;
    this.#parts.emit("actorUp", { actor: this.wired.name, incarnation: this.#incarnation, downMs });
  }

  #sleep(ms: number): Promise<void> {
    if (this.#isClosing) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** An answer; where the thread ended before it gave one, its end has been dealt with when this settles. */
async function dealtWith<T>(phase: Alive, asked: Promise<T | undefined>): Promise<T | undefined> {
  const answer = await asked;
  if (answer === undefined && phase.thread.hasEnded) await phase.over;
  return answer;
}

function startFailureOf(name: Address, { reason, failure }: End): StartFailure {
  return failure ?? { code: "ACTOR_FAILED", message: `${name} ended while it started: ${reason}` };
}
