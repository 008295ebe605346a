import { MessageChannel, type MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import type { ActorControl, ActorNotice, ActorSpec, ConnectionEnds, StartFailure } from "./actor.js";
import { comlinkEndpoint } from "./comlink-port.js";
import { ringDoorbell } from "./mailbox/index.js";
import { runtimeLimits } from "./options.js";
import type { RoleNotice } from "./role-host.js";
import { portsOf } from "./wiring.js";
import { openWorkerPool, type WorkerPool } from "./worker-pool.js";

/** How one life of an actor ended. */
export interface End {
  readonly reason: string;
  /** Somebody asked for it: it says nothing about whether the next life will hold. */
  readonly deliberate: boolean;
  /** It did not start, and says why. */
  readonly failure?: StartFailure;
}

/**
 * One life of an actor: a thread, the task that it runs, and the control plane's port to it.
 *
 * Each life has a pool of its own. A pool's task settles before its thread has exited, and a thread outlives a task
 * that only threw; destroying the pool ends both, and its one worker says when it is really gone.
 */
export class ActorThread {
  /** Settles when the thread has exited: from then on nobody but us touches its memory. Never rejects. */
  readonly ended: Promise<End>;
  readonly #spec: Omit<ActorSpec, "control">;
  readonly #control: Comlink.Remote<ActorControl>;
  readonly #port: MessagePort;
  readonly #pool: WorkerPool;
  /** Gives up the questions that are open. */
  readonly #open = new Set<() => void>();
  readonly #stalls: (() => void)[] = [];
  #hasEnded = false;
  #end: End | undefined;

  constructor(spec: Omit<ActorSpec, "control">, onNotice: (notice: RoleNotice) => void) {
    this.#spec = spec;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#control = Comlink.wrap<ActorControl>(comlinkEndpoint(port1));
    port1.on("message", (message: { readonly notice?: ActorNotice }) => {
      if (message.notice?.type === "stalls") this.#stalls.shift()?.();
      else if (message.notice !== undefined) onNotice(message.notice);
    });
    // The task itself keeps the process alive, until it is stopped.
    port1.unref();
    this.#pool = openWorkerPool(spec.options.workerUrl);
    // A worker that fails before it has taken its task is heard of here only.
    this.#pool.on("error", (error: Error) => void this.kill({ reason: error.message, deliberate: false }));
    this.ended = this.#run({ ...spec, control: port2 });
  }

  /**
   * Gives it its connections and lets its role begin; false or undefined when it does not. They go at once: a port
   * that waited here for its thread could be closed by a peer that dies meanwhile, and would then not be sent.
   */
  start(connections: readonly ConnectionEnds[]): Promise<boolean | undefined> {
    const ends = Comlink.transfer(connections, portsOf(connections));
    return this.ask(control => control.start(ends), Number.POSITIVE_INFINITY);
  }

  /** Ends the thread, wherever it is; resolves when it has exited. The first reason counts. */
  async kill(end: End): Promise<void> {
    this.#end ??= end;
    await this.#pool.destroy();
    await this.ended;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  stop(): void {
    void this.#control.stop();
    ringDoorbell(this.#spec.doorbell);
  }

  /**
   * Asks over the control plane; the ring makes a parked actor give its event loop a turn. Undefined when the thread
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
      ringDoorbell(this.#spec.doorbell);
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

  async #run(spec: ActorSpec): Promise<End> {
    let task: Promise<StartFailure | undefined>;
    try {
      task = this.#pool.run(spec, { transferList: [spec.control] });
    } catch (error) {
      task = Promise.reject(error);
    }
    const settled = task.then(
      failure => {
        if (failure !== undefined) this.#end ??= { reason: failure.message, deliberate: false, failure };
      },
      (error: Error) => {
        this.#end ??= { reason: error.message, deliberate: false };
      },
    );
    const [worker] = this.#pool.threads;
    // Not by events.once(), which would reject on the worker's "error" before it has exited.
    const exited =
      worker === undefined ? settled : new Promise<number>(resolve => worker.once("exit", resolve));
    await Promise.race([settled, exited]);
    await this.#pool.destroy();
    await Promise.all([settled, exited]);
    this.#hasEnded = true;
    for (const giveUp of this.#open) giveUp();
    this.#port.close();
    return this.#end ?? { reason: "its task ended", deliberate: false };
  }
}
