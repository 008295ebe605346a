import { monotonicMs } from "../clock.js";

/** What a slice is measured by, and how it learns that the event loop has had a turn. */
export interface SliceClock {
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** Calls `fn` in the next turn of the event loop. */
  readonly nextTurn: (fn: () => void) => void;
}

const eventLoop: SliceClock = {
  now: monotonicMs,
  nextTurn: fn => {
    setImmediate(fn);
  },
};

/**
 * What a replica takes of its caller's event loop in one turn: one slice for all that it does, however often it comes
 * to do something in it. What others do in the same turn does not count.
 */
export class Slice {
  readonly #sliceMs: number;
  readonly #clock: SliceClock;
  readonly #onTurn = () => this.#close();
  #isOpen = false;
  #turns = 0;
  /** In this turn, without what is under way. */
  #takenMs = 0;
  /** Since when something is under way; undefined while others have the thread. */
  #enteredAt: number | undefined;
  #leftAt = 0;
  #longestMs = 0;

  constructor(sliceMs: number, clock: SliceClock = eventLoop) {
    this.#sliceMs = sliceMs;
    this.#clock = clock;
  }

  /** The most that was taken in one turn so far, in milliseconds. */
  get longestMs(): number {
    return Math.max(this.#longestMs, this.#taken());
  }

  /** Whatever is not begun yet waits for another turn. */
  get isOver(): boolean {
    return this.#taken() >= this.#sliceMs;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Calls `fn` in the next turn, which has a slice of its own. */
  nextTurn(fn: () => void): void {
    // First: it is what ends this one.
    this.#open();
    this.#clock.nextTurn(fn);
  }

  /** What `work` takes is of this slice; parts within parts count once. */
  within<T>(work: () => T): T {
    if (this.#enteredAt !== undefined) return work();
    this.#open();
    this.#enteredAt = this.#clock.now();
    try {
      return work();
    } finally {
      this.#takenMs = this.#taken();
      this.#enteredAt = undefined;
      this.#leftAt = this.#clock.now();
    }
  }

  /**
   * For what goes on in microtasks, and calls the result between its pieces: it resolves in another turn when the slice
   * is over, and is undefined otherwise. What passes from one call to the next within a turn is taken to be work.
   */
  pauses(): () => Promise<void> | undefined {
    let since = this.#clock.now();
    let turn = this.#turns;
    const begin = () => {
      this.#open();
      since = this.#clock.now();
      turn = this.#turns;
    };
    return () => {
      if (turn === this.#turns) this.#add(since);
      begin();
      if (!this.isOver) return undefined;
      return new Promise(resolve => {
        this.nextTurn(() => {
          begin();
          resolve();
        });
      });
    };
  }

  #add(since: number): void {
    if (this.#enteredAt !== undefined) return;
    this.#takenMs += this.#clock.now() - Math.max(since, this.#leftAt);
  }

  #taken(): number {
    if (this.#enteredAt === undefined) return this.#takenMs;
    return this.#takenMs + this.#clock.now() - this.#enteredAt;
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#clock.nextTurn(this.#onTurn);
  }

  #close(): void {
    this.#longestMs = this.longestMs;
    this.#isOpen = false;
    this.#takenMs = 0;
    this.#turns += 1;
  }
}
