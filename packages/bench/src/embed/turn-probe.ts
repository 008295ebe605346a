import { PerformanceObserver } from "node:perf_hooks";
import { ThreadTime } from "./thread-time.js";

/** The longest of what was seen while a thread was watched, in milliseconds. */
export interface TurnFigures {
  /** From one turn of the event loop to the next. */
  readonly turnMs: number;
  /** Of that, how long the thread had a core; null where the operating system does not say. */
  readonly ranMs: number | null;
  /** One garbage collection, in a turn or between two. */
  readonly collectionMs: number;
}

/** Looks at the clock in every turn of this thread's event loop, which it therefore never lets sleep. */
export class TurnProbe {
  readonly #thread = new ThreadTime();
  readonly #collections: PerformanceObserver;
  #turnMs = 0;
  #ranMs = 0;
  #collectionMs = 0;
  #lastAt = performance.now();
  #lastRanMs = this.#thread.ranMs();
  #next: NodeJS.Immediate;

  constructor() {
    this.#collections = new PerformanceObserver(list => {
      for (const { duration } of list.getEntries())
        this.#collectionMs = Math.max(this.#collectionMs, duration);
    });
    this.#collections.observe({ entryTypes: ["gc"] });
    this.#next = setImmediate(this.#onTurn);
  }

  /** The last turn is not over and counts as well. */
  async end(): Promise<TurnFigures> {
    clearImmediate(this.#next);
    this.#look();
    // Collections are told in a later turn.
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
    this.#collections.disconnect();
    this.#thread.close();
    const ranMs = Number.isNaN(this.#ranMs) ? null : this.#ranMs;
    return { turnMs: this.#turnMs, ranMs, collectionMs: this.#collectionMs };
  }

  #look(): void {
    const now = performance.now();
    const ranMs = this.#thread.ranMs();
    this.#turnMs = Math.max(this.#turnMs, now - this.#lastAt);
    this.#ranMs = Math.max(this.#ranMs, ranMs - this.#lastRanMs);
    this.#lastAt = now;
    this.#lastRanMs = ranMs;
  }

  readonly #onTurn = (): void => {
    this.#look();
    this.#next = setImmediate(this.#onTurn);
  };
}
