import type { StateMachineSpec } from "../engine.js";
import { runtimeLimits } from "../limits.js";
import { type FoundSnapshot, newestSnapshot } from "./snapshot-reader.js";
import type { SnapshotRegion } from "./snapshot-region.js";
import { type Restored, restoreSnapshot } from "./snapshot-restoring.js";

/** A restored snapshot, and which learner had published it. */
export interface RestoredFrom extends Restored {
  readonly learner: number;
  readonly bytes: number;
}

interface UnderWay {
  readonly kind: "underWay";
  /** When the state machine was last seen to read, in milliseconds, and how many chunks it had read by then. */
  progressAt: number;
  progress: number;
  chunks: number;
}

type Attempt =
  | { readonly kind: "waiting"; readonly until: number }
  | UnderWay
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "done"; readonly restored: RestoredFrom };

/**
 * Restores the newest snapshot that any learner has published, and again after a while when that fails: by then another
 * one may have been published.
 */
export class Restoration {
  readonly #regions: readonly SnapshotRegion[];
  readonly #stateMachine: StateMachineSpec;
  #attempt: Attempt = { kind: "waiting", until: 0 };
  #failures = 0;
  #instance: number;

  /** It begins at once. A snapshot at or above `atLeast` is needed. */
  constructor(
    regions: readonly SnapshotRegion[],
    stateMachine: StateMachineSpec,
    atLeast: number,
    now: number,
  ) {
    this.#regions = regions;
    this.#stateMachine = stateMachine;
    this.#instance = atLeast;
    this.#begin(atLeast, now);
  }

  /** Where the log goes on behind what is being restored, or at least has to. */
  get instance(): number {
    return this.#instance;
  }

  get isUnderWay(): boolean {
    return this.#attempt.kind !== "waiting";
  }

  /** When the next attempt begins, in milliseconds; infinite while one is under way. */
  get retryAt(): number {
    return this.#attempt.kind === "waiting" ? this.#attempt.until : Number.POSITIVE_INFINITY;
  }

  /** Tells of a failure, or begins anew after one; what was restored, once it is. */
  poll(now: number, atLeast: number, onFailure: (error: unknown) => void): RestoredFrom | undefined {
    const attempt = this.#attempt;
    switch (attempt.kind) {
      case "done":
        return attempt.restored;
      case "failed":
        onFailure(attempt.error);
        this.#wait(now);
        return undefined;
      case "waiting":
        if (now >= attempt.until) this.#begin(Math.max(this.#instance, atLeast), now);
        return undefined;
      case "underWay":
        this.#watch(attempt, now);
        return undefined;
    }
  }

  #watch(attempt: UnderWay, now: number): void {
    if (attempt.chunks !== attempt.progress) {
      attempt.progress = attempt.chunks;
      attempt.progressAt = now;
    } else if (now - attempt.progressAt >= runtimeLimits.restoreStallMs) {
      const message = `restore() has read ${attempt.chunks} chunks and has neither ended nor read on for long`;
      this.#attempt = { kind: "failed", error: new Error(message) };
    }
  }

  #begin(atLeast: number, now: number): void {
    const found = newestSnapshot(this.#regions, atLeast);
    if (found === undefined) return this.#wait(now);
    this.#instance = found.instance;
    const attempt: UnderWay = { kind: "underWay", progressAt: now, progress: 0, chunks: 0 };
    this.#attempt = attempt;
    void this.#restore(found, attempt);
  }

  /** What ends after it was given up is of no interest. */
  async #restore(found: FoundSnapshot, attempt: UnderWay): Promise<void> {
    let outcome: Attempt;
    try {
      const onChunk = () => {
        attempt.chunks += 1;
      };
      const restored = await restoreSnapshot(found, this.#stateMachine, onChunk);
      outcome = { kind: "done", restored: { ...restored, learner: found.region, bytes: found.bytes } };
    } catch (error) {
      outcome = { kind: "failed", error };
    }
    if (this.#attempt === attempt) this.#attempt = outcome;
  }

  #wait(now: number): void {
    const { restoreRetryMs, restoreRetryMsMax } = runtimeLimits;
    const afterMs = Math.min(restoreRetryMs * 2 ** this.#failures, restoreRetryMsMax);
    this.#failures += 1;
    this.#attempt = { kind: "waiting", until: now + afterMs };
  }
}
