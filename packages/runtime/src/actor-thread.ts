import type { Address } from "@synod/core";
import type { ActorSpec, ConnectionEnds, StartFailure } from "./actor.js";
import { ActorLink } from "./actor-link.js";
import type { ThreadSpec } from "./actor-task.js";
import type { RoleNotice } from "./role-host.js";
import { openWorkerPool, type WorkerPool } from "./worker-pool.js";

/** How one life of a thread ended. */
export interface End {
  readonly reason: string;
  /** Somebody asked for it: it says nothing about whether the next life will hold. */
  readonly deliberate: boolean;
  /** One of its actors did not start, and says why. */
  readonly failure?: StartFailure;
}

/** A thread before it runs. */
export interface ThreadPlan extends Omit<ThreadSpec, "actors"> {
  readonly actors: readonly Omit<ActorSpec, "control">[];
}

/**
 * One life of the actors that share a thread: the thread, the task that it runs, and a link to each of them.
 *
 * Each life has a pool of its own. A pool's task settles before its thread has exited, and a thread outlives a task
 * that only threw; destroying the pool ends both, and its one worker says when it is really gone.
 */
export class ActorThread {
  /** Settles when the thread has exited: from then on nobody but us touches its memory. Never rejects. */
  readonly ended: Promise<End>;
  readonly #links: ReadonlyMap<Address, ActorLink>;
  readonly #pool: WorkerPool;
  #hasEnded = false;
  #end: End | undefined;

  constructor(plan: ThreadPlan, onNotice: (actor: Address, notice: RoleNotice) => void) {
    this.#links = new Map(
      plan.actors.map(({ name }) => [name, new ActorLink(plan.doorbell, name, onNotice)] as const),
    );
    this.#pool = openWorkerPool(plan.actors[0]?.options.workerUrl);
    // A worker that fails before it has taken its task is heard of here only.
    this.#pool.on("error", (error: Error) => void this.kill({ reason: error.message, deliberate: false }));
    const actors = plan.actors.map(spec => ({ ...spec, control: this.#linkOf(spec.name).port }));
    this.ended = this.#run({ ...plan, actors });
  }

  /** Undefined for an actor that is not in this life. */
  link(actor: Address): ActorLink | undefined {
    return this.#links.get(actor);
  }

  /** Lets all its actors begin; whether they all have. `connections` are made for one after the other. */
  async start(connections: (actor: Address) => readonly ConnectionEnds[]): Promise<boolean> {
    const starts = [...this.#links].map(([actor, link]) => link.start(connections(actor)));
    return (await Promise.all(starts)).every(hasStarted => hasStarted === true);
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
    for (const link of this.#links.values()) link.stop();
  }

  #linkOf(actor: Address): ActorLink {
    return this.#links.get(actor) as ActorLink;
  }

  async #run(spec: ThreadSpec): Promise<End> {
    let task: Promise<StartFailure | undefined>;
    try {
      task = this.#pool.run(spec, { transferList: spec.actors.map(({ control }) => control) });
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
    for (const link of this.#links.values()) link.close();
    return this.#end ?? { reason: "its task ended", deliberate: false };
  }
}
