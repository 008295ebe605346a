import { limits } from "../limits.js";

interface Life {
  readonly learner: number;
  /** The sampled results that the state machine's state came from, in words, oldest first. */
  readonly sampled: string[];
}

interface Published {
  readonly learner: number;
  readonly instance: number;
  readonly sampled: readonly string[];
}

/**
 * What learners' state machines have returned, as plainly as possible: whole lists of the sampled results in place of
 * chains of digests. By it the snapshots are judged that others rely on.
 */
export class SampleModel {
  readonly #require: (holds: boolean, invariant: string) => void;
  /** Also those that have ended: whoever once confirmed a snapshot has done so. */
  readonly #lives: Life[] = [];
  readonly #current: Life[];
  readonly #startedAt: number[];
  /** By learner, by another learner. */
  readonly #heardAt: number[][];
  readonly #published: Published[] = [];
  /** By pair of learners, the first of which has reported it: the lives in which both were. */
  readonly #reported = new Map<string, readonly [Life, Life]>();
  #trimBelow: number;

  constructor(
    learners: number,
    firstInstance: number,
    now: number,
    require: (holds: boolean, invariant: string) => void,
  ) {
    this.#require = require;
    this.#trimBelow = firstInstance;
    this.#startedAt = new Array<number>(learners).fill(now);
    this.#heardAt = this.#startedAt.map(() => new Array<number>(learners).fill(Number.NEGATIVE_INFINITY));
    this.#current = this.#startedAt.map((_, learner) => ({ learner, sampled: [] }));
    this.#lives.push(...this.#current);
  }

  /** A state machine has returned what is sampled. */
  onSample(learner: number, result: string): void {
    this.#current[learner]?.sampled.push(result);
  }

  onRestart(learner: number, now: number): void {
    this.#startedAt[learner] = now;
    this.#heardAt[learner]?.fill(Number.NEGATIVE_INFINITY);
    this.onRestored(learner, []);
  }

  /** A learner goes on from a state that such results came before. */
  onRestored(learner: number, sampled: readonly string[]): void {
    const life = { learner, sampled: [...sampled] };
    this.#current[learner] = life;
    this.#lives.push(life);
  }

  onHeard(learner: number, other: number, now: number): void {
    const heardAt = this.#heardAt[learner];
    if (heardAt !== undefined) heardAt[other] = now;
  }

  /** The state of its publisher's machine, which does not move while a snapshot is written. Returns what was sampled. */
  onPublished(learner: number, instance: number): readonly string[] {
    const sampled = this.sampledBy(learner);
    this.#published.push({ learner, instance, sampled });
    return sampled;
  }

  /** Rule 25: whoever says that something may be trimmed relies on a snapshot that another living learner agrees with. */
  onReport(learner: number, trimBelow: number, now: number): void {
    if (trimBelow <= this.#trimBelow) return;
    const isConfirmed = this.#published.some(
      snapshot => snapshot.instance >= trimBelow && this.#isConfirmed(snapshot),
    );
    this.#require(
      isConfirmed || this.#isAlone(learner, now),
      "nothing is trimmed by a snapshot that no other living learner agrees with",
    );
    this.#trimBelow = trimBelow;
  }

  onTrim(below: number): void {
    this.#require(below <= this.#trimBelow, "nothing is trimmed that no learner has allowed");
  }

  /** Again only after the state of one of them was replaced. */
  onDivergence(learner: number, other: number): void {
    const lives = [this.#current[learner] as Life, this.#current[other] as Life] as const;
    const before = this.#reported.get(`${learner} ${other}`);
    const isSame = before?.[0] === lives[0] && before[1] === lives[1];
    this.#require(!isSame, "a divergence is reported once");
    this.#reported.set(`${learner} ${other}`, lives);
  }

  sampledBy(learner: number): readonly string[] {
    return [...(this.#current[learner]?.sampled ?? [])];
  }

  #isConfirmed({ learner, sampled }: Published): boolean {
    return this.#lives.some(
      life => life.learner !== learner && sampled.every((result, at) => life.sampled[at] === result),
    );
  }

  #isAlone(learner: number, now: number): boolean {
    const isSilent = (at: number) => now - at >= limits.learnerAliveMs;
    return isSilent(this.#startedAt[learner] ?? now) && (this.#heardAt[learner]?.every(isSilent) ?? true);
  }
}
