import type { Histogram } from "hdr-histogram-js";
import {
  type Load,
  loadCommand,
  type Payloads,
  type Propose,
  payloadsOf,
  record,
  type Slice,
} from "../load.js";

/** Time, and a way to let it pass: a test has another one. */
export interface PaceClock {
  /** Milliseconds. */
  now(): number;
  /** Lets others work; resolves at that time at the latest, as far as this thread has its turn. */
  turn(untilMs: number): Promise<void>;
}

/** No timer of Node is finer than a millisecond: closer to the time, only turns of the event loop are. */
const timerMs = 2;

const realClock: PaceClock = {
  now: () => performance.now(),
  turn: untilMs =>
    new Promise(resolve => {
      const leftMs = untilMs - performance.now();
      if (leftMs > timerMs) setTimeout(resolve, leftMs - timerMs);
      else setImmediate(resolve);
    }),
};

/**
 * Commands under way at most; a client's window holds 16,384. What is due beyond them waits here, and its time runs.
 */
const openMax = 8192;

/**
 * An open loop: commands are due at fixed times, whatever became of those before them, and a latency counts from the
 * time at which the command was due. A server that stalls thereby shows its stall in every command that came
 * meanwhile, where closed-loop clients would just come less often (coordinated omission).
 */
export class OpenLoopLoad implements Load {
  readonly #propose: Propose;
  readonly #perMs: number;
  readonly #payloads: Payloads;
  readonly #clock: PaceClock;
  #open = 0;
  #onRest = (): void => {};
  #proposed = 0;
  #acknowledged = 0;
  #waiting = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(propose: Propose, payloadBytes: number, ratePerSecond: number, clock: PaceClock = realClock) {
    this.#propose = propose;
    this.#perMs = ratePerSecond / 1000;
    this.#payloads = payloadsOf(payloadBytes);
    this.#clock = clock;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Of the last slice: commands that were due and were not proposed by its end, because too many were under way. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Proposes for so long, and waits for the answers. The commits are those within the time. Commands that were never
   * proposed are in the histogram with the time that they had waited by then: their latency would be longer still.
   *
   * @throws what a proposal was rejected with
   */
  async slice(_clients: number, durationMs: number, histogram?: Histogram): Promise<Slice> {
    const clock = this.#clock;
    const startMs = clock.now();
    const endMs = startMs + durationMs;
    const total = Math.max(1, Math.floor(durationMs * this.#perMs));
    const dueMs = (index: number): number => startMs + index / this.#perMs;
    const acknowledgedBefore = this.#acknowledged;
    let next = 0;
    let now = startMs;
    for (;;) {
      for (; next < total && dueMs(next) <= now && this.#open < openMax; next++) {
        this.#call(dueMs(next), histogram);
      }
      if (now >= endMs || this.#failure !== undefined) break;
      // With too many under way, whichever answer comes next makes room.
      const untilMs = this.#open >= openMax ? now : next < total ? dueMs(next) : endMs;
      await clock.turn(Math.min(untilMs, endMs));
      now = clock.now();
    }
    const commits = this.#acknowledged - acknowledgedBefore;
    this.#waiting = total - next;
    for (; histogram !== undefined && next < total; next++) record(histogram, now - dueMs(next));
    await this.#rest();
    if (this.#failure !== undefined) throw this.#failure.error;
    return { commits, durationMs: now - startMs };
  }

  #call(dueMs: number, histogram: Histogram | undefined): void {
    const command = loadCommand(++this.#proposed, this.#payloads);
    this.#open++;
    this.#propose(command).then(
      () => {
        this.#acknowledged++;
        if (histogram !== undefined) record(histogram, this.#clock.now() - dueMs);
        this.#settled();
      },
      error => {
        this.#failure ??= { error };
        this.#settled();
      },
    );
  }

  #settled(): void {
    if (--this.#open === 0) this.#onRest();
  }

  /** Resolves when nothing is under way. */
  async #rest(): Promise<void> {
    if (this.#open === 0) return;
    await new Promise<void>(resolve => {
      this.#onRest = resolve;
    });
  }
}
