/** Looks at the clock in every turn of this thread's event loop, which it therefore never lets sleep. */
export class TurnProbe {
  #longestMs = 0;
  #lastAt = performance.now();
  #next: NodeJS.Immediate;

  constructor() {
    this.#next = setImmediate(this.#onTurn);
  }

  /** The longest time between two turns, in milliseconds; the last one is not over and counts as well. */
  end(): number {
    clearImmediate(this.#next);
    this.#look();
    return this.#longestMs;
  }

  #look(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#lastAt);
    this.#lastAt = now;
  }

  readonly #onTurn = (): void => {
    this.#look();
    this.#next = setImmediate(this.#onTurn);
  };
}
