import { build, type Histogram } from "hdr-histogram-js";

/** What the load proposes: `value` is unique and increases by one. */
export interface LoadCommand {
  readonly op: "set";
  readonly key: string;
  readonly value: number;
  readonly payload?: string;
}

export type Propose = (command: LoadCommand) => Promise<unknown>;

/** One sample: what was committed between two moments of a load in its steady state. */
export interface Slice {
  readonly commits: number;
  readonly durationMs: number;
}

/** What can be sampled. */
export interface Load {
  /** Commands that were acknowledged so far, over all slices. */
  readonly acknowledged: number;
  /** Loads for so long, with so many clients; latencies go to the histogram, if there is one. */
  slice(clients: number, durationMs: number, histogram?: Histogram): Promise<Slice>;
}

/** What the load sets. */
export const keys: readonly string[] = Array.from({ length: 1000 }, (_, number) => `key${number}`);
const payloadLetters = "abcdefg";
/** With many clients one of so many commits is timed. Prime, so that it meets every place of a batch. */
const stride = 17;
/** Up to so many clients every commit is timed. */
const clientsTimedAll = 64;
/** Latencies are kept in microseconds, to three digits, up to a minute. */
const microsecondsMax = 60_000_000;

/** Latencies of commits, in microseconds. */
export function latencyHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: microsecondsMax,
    numberOfSignificantValueDigits: 3,
  });
}

/** Two percentiles of a histogram, in milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

export function latenciesOf(histogram: Histogram): Latencies {
  return {
    p50: histogram.getValueAtPercentile(50) / 1000,
    p99: histogram.getValueAtPercentile(99) / 1000,
  };
}

/** Closed-loop clients: each proposes again as soon as its promise settles. */
export class ClosedLoopLoad implements Load {
  readonly #propose: Propose;
  readonly #payloads: Payloads;
  #proposed = 0;
  #acknowledged = 0;

  constructor(propose: Propose, payloadBytes: number) {
    this.#propose = propose;
    this.#payloads = payloadsOf(payloadBytes);
  }

  /** Commands that were acknowledged so far, over all slices. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /**
   * Starts all clients, waits until as many commits have happened as there are clients, so that latencies no
   * longer show the start, measures for so long, and lets the clients end. Time is looked at when a commit is
   * timed: a load that never leaves its turn needs no timer. Latencies go to the histogram, if there is one.
   */
  async slice(clients: number, durationMs: number, histogram?: Histogram): Promise<Slice> {
    const timedEvery = clients <= clientsTimedAll ? 1 : stride;
    const commitsBefore = this.#acknowledged;
    let phase: "starting" | "measuring" | "ending" = "starting";
    let openedAt = 0;
    let commitsOpened = 0;
    let result: Slice = { commits: 0, durationMs: 0 };
    let countdown = 1;
    const isEnding = (): boolean => phase === "ending";

    const observe = (startedAt: number): void => {
      const now = performance.now();
      if (phase === "starting") {
        if (this.#acknowledged - commitsBefore < clients) return;
        phase = "measuring";
        openedAt = now;
        commitsOpened = this.#acknowledged;
      } else if (phase === "measuring") {
        if (histogram !== undefined) record(histogram, now - startedAt);
        if (now - openedAt < durationMs) return;
        phase = "ending";
        result = { commits: this.#acknowledged - commitsOpened, durationMs: now - openedAt };
      }
    };
    const client = async (): Promise<void> => {
      while (!isEnding()) {
        const command = this.#next();
        if (--countdown > 0) {
          await this.#propose(command);
          this.#acknowledged++;
          continue;
        }
        countdown = timedEvery;
        const startedAt = performance.now();
        await this.#propose(command);
        this.#acknowledged++;
        observe(startedAt);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return result;
  }

  /** One client, so many commits. */
  async sequence(commits: number, histogram: Histogram): Promise<void> {
    for (let left = commits; left > 0; left--) {
      const startedAt = performance.now();
      await this.#propose(this.#next());
      this.#acknowledged++;
      record(histogram, performance.now() - startedAt);
    }
  }

  #next(): LoadCommand {
    return loadCommand(++this.#proposed, this.#payloads);
  }
}

/** Texts of so many bytes that commands carry besides, in turns; none for 0. */
export type Payloads = readonly string[];

/** What all commands of a batch have in common travels once: neighbours must not carry the same. */
export function payloadsOf(bytes: number): Payloads {
  if (bytes === 0) return [];
  return Array.from(payloadLetters, letter => letter.repeat(bytes));
}

/** The command with this identity. */
export function loadCommand(value: number, payloads: Payloads = []): LoadCommand {
  const command = { op: "set", key: keys[value % keys.length]!, value } as const;
  if (payloads.length === 0) return command;
  return { ...command, payload: payloads[value % payloads.length]! };
}

/** Notes a latency. */
export function record(histogram: Histogram, latencyMs: number): void {
  histogram.recordValue(Math.min(Math.max(1, Math.round(latencyMs * 1000)), microsecondsMax));
}
