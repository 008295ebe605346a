/** Waits until something is applied; below is infinite while it is not known what. */
interface Reach {
  readonly id: number;
  below: number;
  readonly deadline: number;
}

/** Who waits until how much of the log is applied, and for how long. */
export class Reached {
  readonly #reaches = new Map<number, Reach>();
  #nextId = 1;
  #lowest = Number.POSITIVE_INFINITY;
  #earliest = Number.POSITIVE_INFINITY;

  /** Returns the number of this wait. */
  add(below: number, deadline: number): number {
    const id = this.#nextId++;
    this.#reaches.set(id, { id, below, deadline });
    this.#watch();
    return id;
  }

  /** It has turned out how much this one waits for. */
  aim(id: number, below: number): void {
    const reach = this.#reaches.get(id);
    if (reach === undefined) return;
    reach.below = below;
    this.#watch();
  }

  forget(id: number): void {
    this.#reaches.delete(id);
    this.#watch();
  }

  /** When the first one is late, in milliseconds. */
  get deadline(): number {
    return this.#earliest;
  }

  /** Those for which enough is applied; they wait no more. */
  takeReached(appliedBelow: number): readonly number[] {
    return this.#lowest > appliedBelow ? [] : this.#take(({ below }) => below <= appliedBelow);
  }

  /** Those that are late. */
  takeLate(now: number): readonly number[] {
    return this.#earliest > now ? [] : this.#take(({ deadline }) => deadline <= now);
  }

  #take(isOver: (reach: Reach) => boolean): readonly number[] {
    const over = [...this.#reaches.values()].filter(isOver).map(({ id }) => id);
    for (const id of over) this.#reaches.delete(id);
    this.#watch();
    return over;
  }

  #watch(): void {
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const { below, deadline } of this.#reaches.values()) {
      this.#lowest = Math.min(this.#lowest, below);
      this.#earliest = Math.min(this.#earliest, deadline);
    }
  }
}
