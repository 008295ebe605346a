import { setImmediate } from "node:timers/promises";
import { type Latencies, latenciesOf, latencyHistogram, record } from "../load.js";

/** One call, whatever it proposes; what follows it in the caller's code is a part of the load. */
type Call = () => Promise<unknown>;

export interface LoadShape {
  readonly call: Call;
  /** Commands of each call. */
  readonly commands: number;
  /** Calls that are under way at once: each is followed by the next as soon as it is answered. */
  readonly callers: number;
}

/** What was committed between two readings. */
export interface LoadFigures {
  readonly commits: number;
  readonly latencyMs: Latencies;
  readonly meanLatencyMs: number;
}

/** One of so many calls is timed where there are many. Prime, so that it meets every place of a batch. */
const stride = 17;
const callersTimedAll = 64;

/** A closed loop that goes on until it is stopped, so that a profile of it shows no beginning and no end. */
export class SteadyLoad {
  readonly #shape: LoadShape;
  readonly #callers: Promise<unknown>;
  readonly #timedEvery: number;
  #histogram = latencyHistogram();
  #latencySumMs = 0;
  #timed = 0;
  #commits = 0;
  #isEnding = false;
  #untilTimed = 1;
  #failed = false;

  /** It begins at once. */
  constructor(shape: LoadShape) {
    this.#shape = shape;
    this.#timedEvery = shape.callers <= callersTimedAll ? 1 : stride;
    this.#callers = Promise.all(Array.from({ length: shape.callers }, () => this.#caller()));
    // Told by stop(), or by running().
    this.#callers.catch(() => {
      this.#failed = true;
    });
  }

  /** Resolves after so many milliseconds, or when the signal is aborted. @throws what a call has thrown */
  async run(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let done = (): void => {};
    const over = new Promise<void>(resolve => {
      done = resolve;
    });
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    try {
      await Promise.race([over, this.#callers]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
    }
  }

  /** Commits from now on, and forgets those before. */
  restart(): void {
    this.#commits = 0;
    this.#histogram = latencyHistogram();
    this.#latencySumMs = 0;
    this.#timed = 0;
  }

  read(): LoadFigures {
    return {
      commits: this.#commits,
      latencyMs: latenciesOf(this.#histogram),
      meanLatencyMs: this.#timed === 0 ? 0 : this.#latencySumMs / this.#timed,
    };
  }

  /** Resolves when every call is answered. @throws what a call has thrown */
  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#callers;
  }

  async #caller(): Promise<void> {
    const { call, commands } = this.#shape;
    // A load that is answered within its turn would never let a timer run.
    await setImmediate();
    while (!this.#isEnding && !this.#failed) {
      if (--this.#untilTimed > 0) {
        await call();
        this.#commits += commands;
        continue;
      }
      this.#untilTimed = this.#timedEvery;
      const startedAt = performance.now();
      await call();
      this.#commits += commands;
      const ms = performance.now() - startedAt;
      record(this.#histogram, ms);
      this.#latencySumMs += ms;
      this.#timed += 1;
    }
  }
}
