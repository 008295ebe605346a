import type { ReplicaState } from "../replica.js";
import type { PublishedSnapshot } from "../snapshot-duty.js";
import { freezeDeep } from "./freeze-deep.js";

/** A snapshot of the model state machine: how many commands it has applied. */
export interface StoredSnapshot extends PublishedSnapshot {
  readonly state: ReplicaState;
  readonly applied: number;
  /** The sampled results that came before, for the checker. */
  readonly sampled: readonly string[];
}

/** One that is being written. */
type Draft = Pick<StoredSnapshot, "learner" | "instance" | "state">;

/**
 * The process's memory: two places for each learner. One has its last complete snapshot, the other the one that it is
 * writing. A learner that crashes while it writes leaves the former one.
 */
export class SnapshotStore {
  readonly #drafts = new Map<number, Draft>();
  readonly #published = new Map<number, StoredSnapshot>();

  begin(draft: Draft): void {
    // What the replica does next must not change it, nor what a replica does that begins with it.
    freezeDeep(draft);
    this.#drafts.set(draft.learner, draft);
  }

  /** The learner crashed, or could not write it to its end. */
  abandon(learner: number): void {
    this.#drafts.delete(learner);
  }

  /** Another learner is at it. */
  isWrittenBeside(learner: number): boolean {
    return [...this.#drafts.keys()].some(writer => writer !== learner);
  }

  /** The last part, and with it the whole. */
  publish(learner: number, applied: number, sampled: readonly string[]): void {
    const draft = this.#drafts.get(learner);
    if (draft !== undefined) this.#published.set(learner, { ...draft, applied, sampled });
    this.#drafts.delete(learner);
  }

  /** The one that holds most, of any learner. */
  get newest(): StoredSnapshot | undefined {
    let newest: StoredSnapshot | undefined;
    for (const snapshot of this.#published.values()) {
      if (newest === undefined || snapshot.instance > newest.instance) newest = snapshot;
    }
    return newest;
  }
}
