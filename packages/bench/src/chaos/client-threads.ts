import { Worker } from "node:worker_threads";
import type { ClusterHandle } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import type { ClientNotice, ClientRequest, ClientSpec } from "./client-worker.js";
import { createJournal } from "./journal.js";
import { type Counts, createLedger, Ledger } from "./ledger.js";
import type { ChaosMachine } from "./machine.js";
import type { ObserverThread } from "./observer.js";
import type { WorkloadOptions } from "./workload.js";

/** All that client threads have in common. */
export interface ClientThreadsOptions {
  readonly handle: ClusterHandle<ChaosMachine>;
  readonly observer: ObserverThread;
  readonly workload: Omit<WorkloadOptions, "client">;
  /** The longest that the run can take. */
  readonly runSeconds: number;
  readonly onViolation: (text: string) => void;
}

interface ClientThread {
  readonly number: number;
  readonly worker: Worker;
  readonly ledger: Ledger;
  readonly exited: Promise<void>;
  /** Settles when everything that it called has settled, after it was told to stop. */
  readonly stopped: Promise<Readonly<Record<string, number>>>;
}

/** The threads that use the cluster. One that is killed is replaced by another, with a session of its own. */
export class ClientThreads {
  readonly #options: ClientThreadsOptions;
  readonly #alive: ClientThread[] = [];
  readonly #counts = new Map<number, () => Counts>();
  /** Commits by time of threads that have gone. */
  readonly #buckets: number[] = [];
  #numbers = 0;
  #isStopping = false;

  constructor(options: ClientThreadsOptions) {
    this.#options = options;
  }

  /** The numbers of those that run. */
  get alive(): readonly number[] {
    return this.#alive.map(({ number }) => number);
  }

  /** What each that ever ran has counted so far. */
  get counts(): ReadonlyMap<number, Counts> {
    return new Map([...this.#counts].map(([number, read]) => [number, read()]));
  }

  get acknowledged(): number {
    let sum = 0;
    for (const read of this.#counts.values()) sum += read().acknowledged;
    return sum;
  }

  /** Commits of all in each piece of time, from one up to and not with another. */
  commits(from: number, until: number): number[] {
    return Array.from({ length: until - from }, (_, index) => {
      const bucket = from + index;
      const gone = this.#buckets[bucket] ?? 0;
      return this.#alive.reduce((sum, { ledger }) => sum + (ledger.buckets[bucket] ?? 0), gone);
    });
  }

  /** Starts one more; resolves with its number once it is connected and under load. */
  async start(): Promise<number> {
    const { handle, observer, workload, runSeconds, onViolation } = this.#options;
    const number = ++this.#numbers;
    const journal = createJournal();
    const memory = createLedger(runSeconds);
    await observer.add(number, journal, monotonicMs());
    const spec: ClientSpec = { handle, journal, ledger: memory, workload: { ...workload, client: number } };
    const worker = new Worker(new URL("./client-worker.js", import.meta.url), { workerData: spec });
    const exited = new Promise<void>(resolve => {
      worker.once("exit", () => {
        if (!this.#isStopping) this.#gone(thread);
        resolve();
      });
    });
    const { promise: started, resolve: onStarted } = withResolver<void>();
    const { promise: stopped, resolve: onStopped } = withResolver<Readonly<Record<string, number>>>();
    worker.on("message", (notice: ClientNotice) => {
      if (notice.kind === "started") onStarted();
      else if (notice.kind === "violation") onViolation(notice.text);
      else onStopped(notice.errors);
    });
    worker.on("error", error => onViolation(`client ${number} has failed: ${error.stack ?? error}`));
    const ledger = new Ledger(memory, workload.generations.originMs);
    const thread: ClientThread = { number, worker, ledger, exited, stopped };
    this.#alive.push(thread);
    this.#counts.set(number, () => ledger.read());
    await Promise.race([started, exited]);
    return number;
  }

  /** Ends one without warning, and starts another in its place; `choice`, from 0 to 1, says which. */
  async kill(choice: number): Promise<{ readonly killed: number; readonly replacement: number }> {
    const thread = this.#alive[Math.floor(choice * this.#alive.length)]!;
    await thread.worker.terminate();
    await thread.exited;
    return { killed: thread.number, replacement: await this.start() };
  }

  burst(factor: number, durationMs: number): void {
    for (const { worker } of this.#alive) tell(worker, { kind: "burst", factor, durationMs });
  }

  /**
   * Lets all end what they have begun. Those that have not within so many milliseconds are terminated.
   *
   * @returns how many operations failed, by code, and how many have not settled
   */
  async stop(
    withinMs: number,
  ): Promise<{ readonly errors: Record<string, number>; readonly unsettled: number }> {
    this.#isStopping = true;
    const errors: Record<string, number> = {};
    let unsettled = 0;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), withinMs);
    const isLate = new Promise<undefined>(resolve =>
      late.signal.addEventListener("abort", () => resolve(undefined)),
    );
    for (const { worker } of this.#alive) tell(worker, { kind: "stop" });
    for (const thread of [...this.#alive]) {
      const failed = await Promise.race([thread.stopped, thread.exited.then(() => undefined), isLate]);
      for (const [code, count] of Object.entries(failed ?? {})) errors[code] = (errors[code] ?? 0) + count;
      const { called, acknowledged, notApplied, unknown } = thread.ledger.read();
      unsettled += called - acknowledged - notApplied - unknown;
      if (failed === undefined) await thread.worker.terminate();
      await thread.exited;
    }
    clearTimeout(timer);
    return { errors, unsettled };
  }

  /** Ends all at once, whatever they do. */
  async close(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#alive.map(({ worker }) => worker.terminate()));
    await Promise.all(this.#alive.map(({ exited }) => exited));
  }

  /** A thread has ended before it was told to: keeps what it counted, and lets go of the rest. */
  #gone(thread: ClientThread): void {
    this.#alive.splice(this.#alive.indexOf(thread), 1);
    const counts = thread.ledger.read();
    this.#counts.set(thread.number, () => counts);
    for (const [index, commits] of thread.ledger.buckets.entries()) {
      this.#buckets[index] = (this.#buckets[index] ?? 0) + commits;
    }
    this.#options.observer.ended(thread.number);
  }
}

function tell(worker: Worker, request: ClientRequest): void {
  worker.postMessage(request);
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>(settle => {
    resolve = settle;
  });
  return { promise, resolve };
}
