import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { type MessagePort, Worker } from "node:worker_threads";
import type * as PiscinaModule from "piscina";
import type { StartFailure } from "./actor.js";
import { findBundle } from "./actor-bundle.js";
import type { ThreadSpec } from "./actor-task.js";
import { SynodError } from "./errors.js";

/** A pool of one thread for one life of its actors: as much of Piscina's as is used. */
export interface WorkerPool {
  /** The thread, once {@link run} was called. */
  readonly threads: readonly Worker[];
  /** Runs the actors. Settles with its task; rejects when the thread ends before. */
  run(spec: ThreadSpec, options: { readonly transferList: MessagePort[] }): Promise<StartFailure | undefined>;
  /** Ends the thread, wherever it is. */
  destroy(): Promise<void>;
  /** What goes wrong with a thread that has no task. */
  on(name: "error", listener: (error: Error) => void): unknown;
}

/** By Piscina; with `workerUrl` by a plain worker thread, since Piscina starts a file of its own and no other. */
export function openWorkerPool(workerUrl: string | undefined): WorkerPool {
  if (workerUrl !== undefined) return new PlainPool(workerUrl);
  const { Piscina } = loadPiscina();
  return new Piscina({
    filename: actorFile().href,
    // None in reserve: a worker that goes is not replaced, and one without a task goes.
    minThreads: 0,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    atomics: "disabled",
    recordTiming: false,
  });
}

/**
 * In a bundle there is nothing beside this module, and Piscina would not find its own file either.
 *
 * @throws SynodError `INVALID_OPTIONS`
 */
export function checkWorkersAreFound(workerUrl: string | undefined): void {
  if (workerUrl !== undefined) return;
  try {
    loadPiscina();
    if (existsSync(actorEntry())) return;
  } catch {}
  const message =
    "the code of the actors' threads was not found, as in a bundled program: bundle @synod/runtime/actor-entry as an " +
    "entry of its own, and give its URL as the option workerUrl";
  throw new SynodError("INVALID_OPTIONS", message, { path: "workerUrl" });
}

/** At run time, and by a name that bundlers do not follow: none of this is of use in a bundle. */
function loadPiscina(): typeof PiscinaModule {
  return createRequire(import.meta.url)("piscina");
}

function actorEntry(): URL {
  const here = import.meta.url;
  return new URL("./actor-entry.cjs", here);
}

let found: URL | undefined;

/** What threads run: one file, or else the modules. Looked for once, since that reads all of them. */
function actorFile(): URL {
  found ??= findBundle() ?? actorEntry();
  return found;
}

/** What `actor-entry` finds in `workerData`. */
export interface ActorWorkerData {
  readonly synodThread: ThreadSpec;
}

/** What `actor-entry` posts when its actors have ended. */
export interface ActorResult {
  readonly synodResult: StartFailure | undefined;
}

/** A thread that runs a module of the caller's, which is to import `@synod/runtime/actor-entry`. */
class PlainPool implements WorkerPool {
  readonly #url: URL;
  #worker: Worker | undefined;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  get threads(): readonly Worker[] {
    return this.#worker === undefined ? [] : [this.#worker];
  }

  run(
    spec: ThreadSpec,
    { transferList }: { readonly transferList: MessagePort[] },
  ): Promise<StartFailure | undefined> {
    const workerData: ActorWorkerData = { synodThread: spec };
    const worker = new Worker(this.#url, { workerData, transferList });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      worker.once("message", ({ synodResult }: ActorResult) => resolve(synodResult));
      worker.once("error", reject);
      worker.once("exit", code => {
        reject(new Error(`its thread exited with code ${code}; workerUrl is ${this.#url.href}`));
      });
    });
  }

  async destroy(): Promise<void> {
    await this.#worker?.terminate();
  }

  /** It never has a thread without a task. */
  on(): void {}
}
