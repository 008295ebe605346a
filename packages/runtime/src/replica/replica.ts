import type { Address, ExpiredRead } from "@synod/core";
import { monotonicMs } from "../clock.js";
import { SynodError } from "../errors.js";
import { lateError } from "../late-error.js";
import { checkCallOptions, checkEntriesOptions, type EntriesOptions, type WaitOptions } from "../options.js";
import type { AnyStateMachine, CommandOf, QueriedAt, ResultOf } from "../state-machine.js";
import { EntryIterator } from "./entry-iterator.js";
import type { ReplicaEntry } from "./entry-tail.js";
import { Reached } from "./reached.js";
import { ReplicaEmitter } from "./replica-events.js";
import { ReplicaHost, type ReplicaParts } from "./replica-host.js";
import { aborted, Waits } from "./waits.js";

const timeoutMsDefault = 10_000;

/** Refuses functions that return a promise: they would go on when the state has changed. */
type Synchronous<T> =
  T extends PromiseLike<unknown>
    ? [refused: "read() is synchronous: what it returns must not be a promise"]
    : [];

/**
 * A copy of the state in this thread, which follows the log: see {@link joinReplica}. It emits {@link ReplicaEvents},
 * never `error`.
 */
export class Replica<M extends AnyStateMachine = AnyStateMachine>
  extends ReplicaEmitter
  implements AsyncDisposable
{
  readonly #host: ReplicaHost;
  readonly #tail: ReplicaParts["tail"];
  readonly #attachment: ReplicaParts["attachment"];
  readonly #reached = new Reached();
  readonly #waits = new Waits(id => this.#reached.forget(id));
  readonly #syncWaits: Waits;
  readonly #iterators = new Set<EntryIterator>();
  readonly #waitingIterators = new Set<EntryIterator>();
  readonly #at: Now;
  /** The wait of `joinReplica` until it is known how far there is to go. */
  #joining: number | undefined;
  #machine: AnyStateMachine;
  /** Why nothing can be read at present. */
  #unreadable: "closed" | "restoring" | undefined;
  #closing: Promise<void> | undefined;
  #isChangeScheduled = false;
  #lastFailure: unknown;

  constructor(parts: ReplicaParts) {
    super();
    this.#tail = parts.tail;
    this.#attachment = parts.attachment;
    this.#host = new ReplicaHost(parts, this.#watch());
    this.#syncWaits = new Waits(id => this.#host.syncs.forget(id));
    this.#machine = parts.machine;
    this.#at = new Now(this.#host);
  }

  /** The name under which `status()` and errors speak of this replica. */
  get name(): Address {
    return this.#host.name;
  }

  /** Everything up to this instance of the log is applied here; -1 when nothing is. */
  get appliedInstance(): number {
    return this.#host.appliedBelow - 1;
  }

  /**
   * The most that this replica has taken of one turn of this thread's event loop so far, in milliseconds: learning,
   * applying and restoring, whatever of garbage collection fell into it, and waiting for a core.
   */
  get longestSliceMs(): number {
    return this.#host.longestSliceMs;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Calls `fn` with the state machine, at once, and returns what it returns. It must not change the state, keep parts of
   * it that `apply` may change, or be asynchronous. The state is that after some prefix of the log, and never goes back.
   *
   * @throws SynodError `RESTORING` while an instance that was given to `joinReplica` is being restored, `CLUSTER_CLOSED`,
   *   `INVALID_OPTIONS` when `fn` returns a promise; and whatever `fn` throws
   */
  read<T>(fn: (machine: M, at: QueriedAt) => T, ..._refused: Synchronous<T>): T {
    if (this.#unreadable !== undefined) throw this.#unreadableError();
    const value = fn(this.#machine as M, this.#at);
    if (value instanceof Promise) throw promiseError(value);
    return value;
  }

  /**
   * Resolves when this replica has applied everything that anybody was told of before the call: then a read is
   * linearizable. Asks the leader, once for all calls of a turn; writes nothing to the log.
   *
   * Rejects with a {@link SynodError}: `INVALID_OPTIONS`, `ABORTED`, `NO_QUORUM`, `TIMEOUT`, `STORAGE_FAILED`,
   * `CLUSTER_CLOSED`.
   */
  sync(options?: WaitOptions): Promise<void> {
    const refused = this.#refusal(options);
    if (refused !== undefined) return Promise.reject(refused);
    const now = monotonicMs();
    const id = this.#host.syncs.add(now + (options?.timeoutMs ?? timeoutMsDefault), now);
    return this.#open(this.#syncWaits.add(id, options?.signal));
  }

  /**
   * Resolves when everything up to this instance is applied here; at once if it is. After `client.propose(...)`,
   * `client.seenInstance` is the instance to wait for. Asks nobody.
   *
   * Rejects with a {@link SynodError}: `INVALID_OPTIONS`, `ABORTED`, `TIMEOUT`, `CLUSTER_CLOSED`.
   */
  reached(instance: number, options?: WaitOptions): Promise<void> {
    const refused = this.#refusal(options) ?? instanceError(instance);
    if (refused !== undefined) return Promise.reject(refused);
    if (instance < this.#host.appliedBelow) return Promise.resolve();
    return this.#reach(instance + 1, options?.timeoutMs ?? timeoutMsDefault, options?.signal);
  }

  /**
   * The commands of the log from an instance on, in order, each once, as this replica applies them. Ends when the
   * replica is closed. How far back it can begin, and how slow its reader may be, is bounded: see `JoinOptions.entries`.
   *
   * @throws SynodError `INVALID_OPTIONS`, `CLUSTER_CLOSED`, `ABORTED`, and `LOG_TRIMMED` when what is wanted is not
   *   remembered any more; the iteration rejects with the last two as well
   */
  entries(options: EntriesOptions = {}): AsyncIterableIterator<ReplicaEntry<CommandOf<M>, ResultOf<M>>> {
    if (this.closed) throw this.#closedError();
    checkEntriesOptions(options);
    const { signal } = options;
    if (signal?.aborted) throw aborted(signal);
    const from = options.from ?? this.#host.appliedBelow;
    if (from < this.#tail.firstInstance) throw this.#trimmedError(from);
    const source = {
      tail: this.#tail,
      waits: (waiting: EntryIterator, isWaiting: boolean) => {
        if (isWaiting) this.#waitingIterators.add(waiting);
        else this.#waitingIterators.delete(waiting);
        this.#keepAlive();
      },
      ended: (over: EntryIterator) => {
        this.#iterators.delete(over);
        this.#tail.isFollowed = this.#iterators.size > 0;
        signal?.removeEventListener("abort", onAbort);
      },
      trimmed: (instance: number) => this.#trimmedError(instance),
    };
    const iterator = new EntryIterator(source, from);
    const onAbort = () => iterator.end(aborted(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#iterators.add(iterator);
    this.#tail.isFollowed = true;
    return iterator as AsyncIterableIterator<ReplicaEntry<CommandOf<M>, ResultOf<M>>>;
  }

  /** Settles every open promise, ends every iteration, and stops following. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves once it has applied what a learner had learned when it joined. For `joinReplica`. */
  join(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#attachment.isClusterClosed) void this.close();
    const refused = this.#refusal({ ...(signal === undefined ? {} : { signal }) });
    if (refused !== undefined) return Promise.reject(refused);
    const joined = this.#reach(Number.POSITIVE_INFINITY, timeoutMs, signal, id => {
      this.#joining = id;
    });
    this.#host.start();
    return joined;
  }

  async #close(): Promise<void> {
    this.#unreadable = "closed";
    const error = this.#closedError();
    // Not within whatever has closed it: `closed` is true before anybody is told.
    await Promise.resolve();
    this.#waits.rejectAll(error);
    this.#syncWaits.rejectAll(error);
    for (const iterator of [...this.#iterators]) iterator.end(undefined);
    await this.#host.close();
    this.emit("close");
  }

  #reach(
    below: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    onId: (id: number) => void = () => undefined,
  ): Promise<void> {
    const id = this.#reached.add(below, monotonicMs() + timeoutMs);
    onId(id);
    return this.#open(this.#waits.add(id, signal));
  }

  /** A promise of ours is open until it settles, however it does. */
  #open(promise: Promise<void>): Promise<void> {
    this.#host.wake();
    this.#keepAlive();
    const onSettled = () => this.#keepAlive();
    promise.then(onSettled, onSettled);
    return promise;
  }

  #keepAlive(): void {
    const open = this.#waits.open + this.#syncWaits.open + this.#waitingIterators.size;
    this.#host.keepAlive(open > 0);
  }

  #watch() {
    const reached = this.#reached;
    return {
      isOpen: () => {
        if (this.#attachment.isClusterClosed) void this.close();
        return !this.closed;
      },
      get deadline() {
        return reached.deadline;
      },
      onStep: (now: number) => this.#onStep(now),
      onApplied: () => this.#scheduleChange(),
      onSyncs: (done: readonly number[], expired: readonly ExpiredRead[]) => {
        for (const id of done) this.#syncWaits.resolve(id);
        for (const { id, reason } of expired) {
          this.#syncWaits.reject(id, lateError(`a sync of ${this.name}`, reason, "not-applied"));
        }
      },
      onRestoring: (isInPlace: boolean) => {
        if (isInPlace) this.#unreadable ??= "restoring";
      },
      onRestored: () => {
        this.#machine = this.#host.machine;
        if (this.#unreadable === "restoring") this.#unreadable = undefined;
        const { appliedInstance } = this;
        setImmediate(() => this.emit("restored", { appliedInstance }));
      },
      onRestoreFailed: (error: unknown) => {
        this.#lastFailure = error;
        const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        setImmediate(() => this.emit("restoreFailed", { reason }));
      },
    };
  }

  #onStep(now: number): void {
    const { toldBelow, appliedBelow } = this.#host;
    if (this.#joining !== undefined && toldBelow !== undefined) {
      this.#reached.aim(this.#joining, toldBelow);
      this.#joining = undefined;
    }
    for (const id of this.#reached.takeReached(appliedBelow)) this.#waits.resolve(id);
    for (const id of this.#reached.takeLate(now)) this.#waits.reject(id, this.#lateError());
  }

  /** At most once in a turn of the event loop, whatever was applied in it. */
  #scheduleChange(): void {
    this.#at.forget();
    for (const iterator of [...this.#waitingIterators]) iterator.wake();
    if (this.#isChangeScheduled) return;
    this.#isChangeScheduled = true;
    setImmediate(() => {
      this.#isChangeScheduled = false;
      if (!this.closed) this.emit("change", { appliedInstance: this.appliedInstance });
    });
  }

  #refusal(options: WaitOptions | undefined): SynodError | undefined {
    if (this.closed) return this.#closedError();
    if (options === undefined) return undefined;
    try {
      checkCallOptions(options);
    } catch (error) {
      return error as SynodError;
    }
    return options.signal?.aborted ? aborted(options.signal) : undefined;
  }

  #unreadableError(): SynodError {
    if (this.#unreadable === "closed") return this.#closedError();
    const message = `${this.name} restores a snapshot into the instance that it reads: wait for "restored", or give joinReplica() a function that makes instances`;
    return new SynodError("RESTORING", message);
  }

  #closedError(): SynodError {
    const message = `${this.name} is closed: join again, or start a new cluster`;
    return new SynodError("CLUSTER_CLOSED", message, { outcome: "not-applied" });
  }

  #trimmedError(from: number): SynodError {
    const { firstInstance } = this.#tail;
    const message = `${this.name} does not remember instance ${from} of the log, only what begins at ${firstInstance}: read the state, then go on from there, or give joinReplica() a larger entries option`;
    return new SynodError("LOG_TRIMMED", message, { firstInstance });
  }

  #lateError(): SynodError {
    const { appliedBelow, toldBelow } = this.#host;
    const known =
      toldBelow === undefined ? "no learner has answered it" : `${toldBelow} are known to be chosen`;
    const message = `${this.name} has applied ${appliedBelow} instances and ${known}: look at cluster.status(), or give it more time`;
    return new SynodError("TIMEOUT", message, { outcome: "not-applied", cause: this.#lastFailure });
  }
}

/** The time of reads. Looking at the clock takes longer than most of them: it is read once in a turn of the event loop. */
class Now implements QueriedAt {
  readonly #host: ReplicaHost;
  #timeMs: number | undefined;
  readonly #forget = () => this.forget();

  constructor(host: ReplicaHost) {
    this.#host = host;
  }

  get instance(): number {
    return this.#host.appliedBelow - 1;
  }

  get timeMs(): number {
    return this.#timeMs ?? this.#look();
  }

  forget(): void {
    this.#timeMs = undefined;
  }

  #look(): number {
    this.#timeMs = Math.max(this.#host.timeMs, monotonicMs());
    setImmediate(this.#forget);
    return this.#timeMs;
  }
}

function promiseError(promise: Promise<unknown>): SynodError {
  promise.catch(() => undefined);
  const message =
    "read() was given a function that returns a promise: the state would change while it goes on";
  return new SynodError("INVALID_OPTIONS", message, { path: "fn" });
}

function instanceError(instance: unknown): SynodError | undefined {
  if (Number.isSafeInteger(instance)) return undefined;
  const message = `the instance to reach is ${String(instance)}; it must be a whole number, such as client.seenInstance`;
  return new SynodError("INVALID_OPTIONS", message, { path: "instance" });
}
