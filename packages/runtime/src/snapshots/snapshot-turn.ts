import { runtimeLimits } from "../limits.js";
import { SnapshotControl, type SnapshotRegion } from "./snapshot-region.js";

/**
 * One learner of a cluster writes a snapshot at a time, or nobody would answer. Who is to write next is agreed by
 * messages, which may come late; this is what the learners see of each other at once.
 */
export class SnapshotTurn {
  readonly #own: SnapshotControl;
  readonly #others: readonly SnapshotControl[];

  /** Gives back what a former life of the learner had. */
  constructor(regions: readonly SnapshotRegion[], learner: number, now: number) {
    const controls = regions.map(region => new SnapshotControl(region));
    this.#own = controls[learner]!;
    this.#others = controls.filter(control => control !== this.#own);
    this.#own.release(now);
  }

  /** False while another learner has it. Of two that ask at once neither may get it. */
  take(now: number): boolean {
    this.renew(now);
    if (!this.#others.some(other => other.isClaimed(now))) return true;
    this.giveBack(now);
    return false;
  }

  /** Needed now and then: a learner that died or hangs must not hold up the others for long. */
  renew(now: number): void {
    this.#own.claim(now + runtimeLimits.snapshotClaimMs);
  }

  giveBack(now: number): void {
    this.#own.release(now);
  }
}
