import { limits } from "./limits.js";
import { unpinned } from "./messages.js";

/** The log from `instance` on is kept for a learner that restores a snapshot, until `until`, in milliseconds. */
interface Pin {
  readonly instance: number;
  readonly until: number;
}

/**
 * How much of the log acceptors may forget: what a published snapshot holds, but for what a learner will need that is
 * restoring one. A learner that is silent holds nothing back.
 */
export class TrimRule {
  readonly #learners: number;
  readonly #pins = new Map<number, Pin>();
  /** The highest that a learner has allowed. A published snapshot outlives its learner, so it is never taken back. */
  #below = 0;

  constructor(learners: number) {
    this.#learners = learners;
  }

  /** What a learner says of snapshots. Saying the same pin again does not make it last longer. */
  reported(learner: number, trimBelow: number, pinnedAt: number, now: number): void {
    this.#below = Math.max(this.#below, trimBelow);
    if (pinnedAt === unpinned) this.#pins.delete(learner);
    else if (this.#pins.get(learner)?.instance !== pinnedAt) {
      this.#pins.set(learner, { instance: pinnedAt, until: now + limits.restorePinMs });
    }
  }

  /** Everything below may be forgotten, where everything below `chosenBelow` is chosen. */
  below(chosenBelow: number, now: number): number {
    // Without learners nobody needs the log.
    if (this.#learners === 0) return chosenBelow;
    let below = Math.min(this.#below, chosenBelow);
    for (const { instance, until } of this.#pins.values()) {
      if (now < until) below = Math.min(below, instance);
    }
    return below;
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return [this.#below, [...this.#pins].sort(([one], [other]) => one - other)];
  }
}
