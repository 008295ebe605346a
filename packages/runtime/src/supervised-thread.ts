import type { Address } from "@synod/core";
import type { StartFailure } from "./actor.js";
import type { ActorLink } from "./actor-link.js";
import { ActorThread, type End } from "./actor-thread.js";
import { monotonicMs } from "./clock.js";
import { SynodError } from "./errors.js";
import type { Emit } from "./events.js";
import { runtimeLimits } from "./limits.js";
import type { Doorbell, MailboxKind } from "./mailbox/index.js";
import type { ResolvedOptions } from "./options.js";
import { RestartPolicy } from "./restart-policy.js";
import type { RoleNotice } from "./role-host.js";
import type { HostingThread, SupervisedActor } from "./supervised-actor.js";

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

/** What a supervised thread is made of. */
export interface SupervisedThreadParts {
  readonly name: string;
  readonly doorbell: Doorbell;
  readonly mailbox: MailboxKind;
  readonly restarts: ResolvedOptions["restarts"];
  /** Those that it hosts, at least one. */
  readonly actors: readonly SupervisedActor[];
  readonly emit: Emit;
  readonly onNotice: (actor: Address, notice: RoleNotice) => void;
}

/** One thread through all its lives, with the actors that it hosts: runs it, sees it end, and runs the next one. */
export class SupervisedThread implements HostingThread {
  readonly #parts: SupervisedThreadParts;
  readonly #policy: RestartPolicy;
  #phase: Phase = { state: "restarting", reason: "it has not started" };
  #hasStarted = false;
  #lastEnd: string | null = null;
  #downSinceMs = 0;
  #isClosing = false;
  /** Ends the wait for a restart. */
  #wake: (() => void) | undefined;
  #career: Promise<void> | undefined;

  constructor(parts: SupervisedThreadParts) {
    this.#parts = parts;
    this.#policy = new RestartPolicy(parts.restarts);
    for (const actor of parts.actors) actor.hostedBy(this);
  }

  /** Runs the thread from now on; resolves once all its actors have started, or with the reason why not. */
  start(): Promise<StartFailure | undefined> {
    return new Promise(resolve => {
      this.#career = this.#live(resolve);
    });
  }

  get state(): Phase["state"] {
    return this.#phase.state;
  }

  get lastEnd(): string | null {
    return this.#lastEnd;
  }

  get error(): string | undefined {
    return "reason" in this.#phase ? this.#phase.reason : undefined;
  }

  link(actor: Address): ActorLink | undefined {
    return "thread" in this.#phase ? this.#phase.thread.link(actor) : undefined;
  }

  async dealtWith<T>(asked: Promise<T | undefined>): Promise<T | undefined> {
    const phase = this.#phase;
    const answer = await asked;
    if (answer === undefined && "thread" in phase && phase.thread.hasEnded) await phase.over;
    return answer;
  }

  /** Ends the thread, if there is one; resolves when it has exited. */
  async kill(reason: string): Promise<void> {
    const phase = this.#phase;
    if (!("thread" in phase)) return;
    await phase.thread.kill({ reason, deliberate: true });
    await phase.over;
  }

  /** Blocks the thread; resolves when that has begun. @throws SynodError `ACTOR_FAILED`, `TIMEOUT` */
  async stall(actor: Address, ms: number): Promise<void> {
    const phase = this.#phase;
    const link = this.link(actor);
    if (link !== undefined) {
      if (await this.dealtWith(link.stall(ms, runtimeLimits.slowAnswerWithinMs))) return;
      if (this.#phase === phase) {
        throw new SynodError("TIMEOUT", `${actor} does not answer: it has not begun to stall`);
      }
    }
    throw new SynodError("ACTOR_FAILED", `${actor} is down: it cannot stall`);
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
    while (!this.#isClosing) {
      const delayMs = await this.#liveOnce(onStarted);
      if (delayMs === undefined) return;
      if (delayMs > 0) await this.#sleep(delayMs);
    }
    this.#phase = { state: "stopped" };
  }

  /** One life; how long to wait for the next one, in milliseconds, or undefined when there is none. */
  async #liveOnce(onStarted: (failure: StartFailure | undefined) => void): Promise<number | undefined> {
    let settle = (): void => {};
    const over = new Promise<void>(resolve => {
      settle = resolve;
    });
    const { doorbell, mailbox, onNotice } = this.#parts;
    const actors = this.#living();
    const plan = { doorbell, mailbox, actors: actors.map(actor => actor.nextLife()) };
    const thread = new ActorThread(plan, onNotice);
    this.#phase = { state: "starting", thread, over };
    const connections = new Map(actors.map(actor => [actor.wired.name, actor] as const));
    const isUp = await thread.start(name => connections.get(name)?.connections() ?? []);
    if (isUp) {
      this.#phase = { state: "running", thread, over };
      if (this.#hasStarted) this.#emitUp(actors);
      else onStarted(undefined);
      this.#hasStarted = true;
    }
    const end = await thread.ended;
    const neverStarted = !this.#hasStarted;
    const delayMs = neverStarted || this.#isClosing ? undefined : this.#delayMs(end);
    this.#down(actors, end, delayMs, neverStarted);
    if (neverStarted) onStarted(end.failure ?? this.#startFailure(end));
    settle();
    return delayMs;
  }

  /** Those that a life is for. */
  #living(): SupervisedActor[] {
    return this.#parts.actors.filter(actor => !actor.hasFailed);
  }

  /** Undefined when there must be no next life. */
  #delayMs(end: End): number | undefined {
    if (!this.#living().some(actor => actor.survives)) return undefined;
    return end.deliberate ? 0 : this.#policy.delayMs(monotonicMs());
  }

  /** Everybody is told of all that went down before anybody hears what is given up. */
  #down(
    actors: readonly SupervisedActor[],
    { reason }: End,
    delayMs: number | undefined,
    neverStarted: boolean,
  ): void {
    this.#lastEnd = reason;
    this.#downSinceMs = monotonicMs();
    if (this.#isClosing) {
      this.#phase = { state: "stopped" };
      return;
    }
    const givenUp = actors.filter(actor => delayMs === undefined || !actor.survives);
    for (const actor of givenUp) {
      actor.fail(neverStarted ? reason : `${reason}; ${this.#whyForGood(actor)}`);
    }
    this.#phase = { state: delayMs === undefined ? "failed" : "restarting", reason };
    const { name: thread, emit } = this.#parts;
    for (const { wired, hasFailed } of actors) {
      emit("actorDown", { actor: wired.name, thread, reason, willRestart: !hasFailed });
    }
    for (const { wired, failure = reason } of givenUp) {
      emit("actorFailed", { actor: wired.name, thread, reason: failure });
    }
  }

  #whyForGood(actor: SupervisedActor): string {
    if (!actor.survives) return "what it has promised died with it, so it must not vote again";
    const { max, windowMs } = this.#parts.restarts;
    return `it was restarted ${max} times within ${windowMs} ms`;
  }

  #emitUp(actors: readonly SupervisedActor[]): void {
    const downMs = monotonicMs() - this.#downSinceMs;
    const { name: thread, emit } = this.#parts;
    for (const { wired, incarnation } of actors) {
      emit("actorUp", { actor: wired.name, thread, incarnation, downMs });
    }
  }

  #startFailure({ reason }: End): StartFailure {
    return { code: "ACTOR_FAILED", message: `${this.#parts.name} ended while it started: ${reason}` };
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
