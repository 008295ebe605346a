import type { ReplicaState } from "@synod/core";
import { runtimeLimits } from "../limits.js";
import { type Snapshot, type SnapshotRegion, snapshotsFrom } from "../snapshots/index.js";
import { restoreInto } from "../snapshots/snapshot-restoring.js";
import type { AnyStateMachine } from "../state-machine.js";

export interface RestoringParts {
  readonly regions: readonly SnapshotRegion[];
  readonly machine: AnyStateMachine;
  /** Makes another machine to restore into; left out, `machine` is restored. */
  readonly makeMachine: (() => AnyStateMachine) | undefined;
}

/** What it needs of the replica that restores. */
export interface RestoringHost {
  /** An older snapshot than this is of no use: the log begins later. */
  neededFrom(): number;
  /** Between two chunks: the event loop has a turn when it resolves. */
  pauses(): () => Promise<void> | undefined;
  /** The snapshot at this instance is going to be restored. */
  onBegin(instance: number): void;
  /** It is tried again. */
  onFailure(error: unknown): void;
}

export interface RestoredReplica {
  readonly machine: AnyStateMachine;
  readonly state: ReplicaState;
}

/** Restores the newest snapshot that any learner has published, and again until that has worked. */
export class Restoring {
  readonly #parts: RestoringParts;
  readonly #host: RestoringHost;
  readonly #stallMs: number;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  /** Ends what it waits for, a time or a state machine. */
  #stop: (() => void) | undefined;

  /** A `restore()` that has neither ended nor read a chunk for `stallMs` milliseconds hangs. */
  constructor(parts: RestoringParts, host: RestoringHost, stallMs: number = runtimeLimits.restoreStallMs) {
    this.#parts = parts;
    this.#host = host;
    this.#stallMs = stallMs;
  }

  hasSnapshot(): boolean {
    return this.#newest() !== undefined;
  }

  /** Undefined when it was closed before. */
  async run(): Promise<RestoredReplica | undefined> {
    for (let failures = 0; !this.#isClosed; failures++) {
      const found = this.#newest();
      if (found !== undefined) {
        this.#host.onBegin(found.instance);
        try {
          const machine = this.#parts.makeMachine?.() ?? this.#parts.machine;
          const state = await this.#restore(machine, found);
          return this.#isClosed ? undefined : { machine, state };
        } catch (error) {
          if (this.#isClosed) break;
          // It was overwritten by a newer one, most likely.
          if ((this.#newest()?.instance ?? 0) > found.instance) continue;
          this.#host.onFailure(error);
        }
      }
      await this.#pause(failures);
    }
    return undefined;
  }

  /** Nothing more is begun, and what is under way reads no further. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#stop?.();
  }

  async #restore(machine: AnyStateMachine, snapshot: Snapshot): Promise<ReplicaState> {
    const attempt = { chunks: 0, isGivenUp: false };
    const isOver = () => attempt.isGivenUp || this.#isClosed;
    const readable = { ...snapshot, chunks: () => readUntil(isOver, snapshot.chunks()) };
    const onChunk = () => {
      attempt.chunks += 1;
    };
    const restored = restoreInto(machine, readable, this.#host.pauses(), onChunk);
    // What ends after it was given up is of no interest.
    restored.catch(() => undefined);
    const watch = this.#watch(attempt);
    try {
      return await Promise.race([restored, watch.hangs]);
    } finally {
      attempt.isGivenUp = true;
      watch.end();
    }
  }

  /** Rejects when the state machine hangs. A machine that is restored in place cannot be given up: that is told only. */
  #watch(attempt: { readonly chunks: number }) {
    let timer: NodeJS.Timeout | undefined;
    const hangs = new Promise<never>((_, reject) => {
      this.#stop = () => reject(new Error("the replica is closed"));
      let seen = -1;
      const look = () => {
        if (attempt.chunks === seen) {
          const error = hangError(seen, this.#stallMs);
          if (this.#parts.makeMachine !== undefined) return reject(error);
          return this.#host.onFailure(error);
        }
        seen = attempt.chunks;
        timer = setTimeout(look, this.#stallMs).unref();
      };
      look();
    });
    return { hangs, end: () => clearTimeout(timer) };
  }

  #newest() {
    return snapshotsFrom(this.#parts.regions, this.#host.neededFrom())[0];
  }

  #pause(failures: number): Promise<void> {
    const { restoreRetryMs, restoreRetryMsMax } = runtimeLimits;
    const ms = Math.min(restoreRetryMs * 2 ** failures, restoreRetryMsMax);
    return new Promise(resolve => {
      this.#stop = resolve;
      this.#timer = setTimeout(resolve, ms).unref();
    });
  }
}

function* readUntil(isOver: () => boolean, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) {
    if (isOver()) throw new Error("this restore() was given up, and reads no further");
    yield chunk;
  }
}

function hangError(chunks: number, stallMs: number): Error {
  const message = `restore() of the state machine has read ${chunks} chunks and has neither ended nor read on for ${stallMs / 1000} s: let it end when the chunks do`;
  return new Error(message);
}
