/**
 * Which learner the acceptors tell. It is replaced when it stands still although more is chosen. Keeps the progress
 * of all learners, whether one of them is distinguished or not.
 *
 * Source: "Paxos Made Simple", section 2.3.
 */
export class DistinguishedLearner {
  readonly #appliedBelow: number[];
  readonly #stallMs: number;
  #index = 0;
  #watchedBelow = 0;
  #movedAt = 0;

  /** One that stands still for `stallMs` milliseconds is replaced. */
  constructor(learners: number, stallMs: number) {
    this.#appliedBelow = new Array<number>(learners).fill(0);
    this.#stallMs = stallMs;
  }

  get index(): number {
    return this.#index;
  }

  /**
   * What it says last is believed, also when it is less than before: a learner that starts again has lost what it had
   * applied. A report that was overtaken does no harm: a mark too low lets more be proposed again than necessary, or
   * another be told; and a learner that misses what is below a mark too high says that it is stuck.
   */
  progress(learner: number, appliedBelow: number): void {
    this.#appliedBelow[learner] = appliedBelow;
  }

  /** Is this no more than the learner has said before? */
  isNoProgress(learner: number, appliedBelow: number): boolean {
    return appliedBelow <= (this.#appliedBelow[learner] ?? 0);
  }

  /** Has any learner not said that it has applied everything below? */
  lags(chosenBelow: number): boolean {
    return this.#appliedBelow.some(applied => applied < chosenBelow);
  }

  /** A new leader begins with the learner that has come farthest. */
  restart(now: number): void {
    this.#name(this.#farthest(), now);
  }

  /** Replaces it when it has not moved for too long and something is chosen that it has not applied. */
  watch(chosenBelow: number, now: number): void {
    const applied = this.#appliedBelow[this.#index] ?? 0;
    if (applied > this.#watchedBelow || applied >= chosenBelow) {
      this.#watchedBelow = applied;
      this.#movedAt = now;
    } else if (now - this.#movedAt >= this.#stallMs) this.#name(this.#farthest(this.#index), now);
  }

  #name(learner: number, now: number): void {
    this.#index = learner;
    this.#watchedBelow = this.#appliedBelow[learner] ?? 0;
    this.#movedAt = now;
  }

  #farthest(except = -1): number {
    let farthest = except;
    this.#appliedBelow.forEach((below, learner) => {
      if (learner === except) return;
      if (farthest === except || below > (this.#appliedBelow[farthest] ?? 0)) farthest = learner;
    });
    return farthest;
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return [this.#appliedBelow, this.#index, this.#watchedBelow, this.#movedAt];
  }
}
