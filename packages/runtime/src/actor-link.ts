import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Address } from "@synod/core";
import * as Comlink from "comlink";
import type { ActorControl, ActorNotice, ConnectionEnds } from "./actor.js";
import { comlinkEndpoint } from "./comlink-port.js";
import { runtimeLimits } from "./limits.js";
import { type Doorbell, ringDoorbell } from "./mailbox/index.js";
import type { RoleNotice } from "./role-host.js";
import { portsOf } from "./wiring.js";

/** The control plane's port to one actor in one life of it. */
export class ActorLink {
  /** The actor's end. */
  readonly port: MessagePort;
  readonly #control: Comlink.Remote<ActorControl>;
  readonly #port: MessagePort;
  readonly #doorbell: Doorbell;
  /** Gives up the questions that are open. */
  readonly #open = new Set<() => void>();
  readonly #stalls: (() => void)[] = [];

  constructor(doorbell: Doorbell, actor: Address, onNotice: (actor: Address, notice: RoleNotice) => void) {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#port = port1;
    this.#doorbell = doorbell;
    this.#control = Comlink.wrap<ActorControl>(comlinkEndpoint(port1));
    port1.on("message", (message: { readonly notice?: ActorNotice }) => {
      if (message.notice?.type === "stalls") this.#stalls.shift()?.();
      else if (message.notice !== undefined) onNotice(actor, message.notice);
    });
    // The thread's task itself keeps the process alive, until it is stopped.
    port1.unref();
  }

  /**
   * Gives the actor its connections and lets its role begin; false or undefined when it does not. They go at once: a
   * port that waited here for its thread could be closed by a peer that dies meanwhile, and would then not be sent.
   */
  start(connections: readonly ConnectionEnds[]): Promise<boolean | undefined> {
    const ends = Comlink.transfer(connections, portsOf(connections));
    return this.ask(control => control.start(ends), Number.POSITIVE_INFINITY);
  }

  stop(): void {
    void this.#control.stop();
    ringDoorbell(this.#doorbell);
  }

  /**
   * Asks over the control plane; the ring makes a parked thread give its event loop a turn. Undefined when the thread
   * ends before it answers, or takes longer than so many milliseconds.
   */
  ask<T>(
    question: (control: Comlink.Remote<ActorControl>) => Promise<T>,
    withinMs: number = runtimeLimits.answerWithinMs,
  ): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#open.delete(giveUp);
        clearTimeout(timer);
        resolve(undefined);
      };
      this.#open.add(giveUp);
      const timer = withinMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(giveUp, withinMs);
      question(this.#control).then(resolve, reject).finally(giveUp);
      ringDoorbell(this.#doorbell);
    });
  }

  /** Resolves with true once the thread has begun to stall. */
  stall(ms: number, withinMs: number): Promise<true | undefined> {
    return this.ask(control => {
      const begun = new Promise<true>(resolve => this.#stalls.push(() => resolve(true)));
      // Its answer comes when the stall is over.
      void control.stall(ms);
      return begun;
    }, withinMs);
  }

  /** The thread has ended: nobody answers any more. */
  close(): void {
    for (const giveUp of this.#open) giveUp();
    this.#port.close();
  }
}
