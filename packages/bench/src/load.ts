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

const keys = Array.from({ length: 1000 }, (_, number) => `key${number}`);
/** With many clients one of so many commits is timed. Prime, so that it meets every place of a batch. */
const stride = 17;
/** Up to so many clients every commit is timed. */
const clientsTimedAll = 64;
/** Latencies are kept in microseconds, to three digits, up to a minute. */
const microsecondsMax = 60_000_000;

/** Closed-loop clients: each proposes again as soon as its promise settles. */
export class ClosedLoopLoad {
  /** Latencies of commits, in microseconds. */
  readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: microsecondsMax,
    numberOfSignificantValueDigits: 3,
  });
  readonly #propose: Propose;
  readonly #clients: number;
  readonly #payload: string | undefined;
  readonly #stride: number;
  #proposed = 0;
  #acknowledged = 0;

  constructor(propose: Propose, clients: number, payloadBytes: number) {
    this.#propose = propose;
    this.#clients = clients;
    this.#payload = payloadBytes === 0 ? undefined : "x".repeat(payloadBytes);
    this.#stride = clients <= clientsTimedAll ? 1 : stride;
  }

  /** Commands that were acknowledged so far, over all slices. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /**
   * Starts all clients, waits until as many commits have happened as there are clients, so that latencies no
   * longer show the start, measures for so long, and lets the clients end. Time is looked at when a commit is
   * timed: a load that never leaves its turn needs no timer.
   */
  async slice(durationMs: number, record: boolean): Promise<Slice> {
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
        if (this.#acknowledged - commitsBefore < this.#clients) return;
        phase = "measuring";
        openedAt = now;
        commitsOpened = this.#acknowledged;
      } else if (phase === "measuring") {
        if (record) this.#record(now - startedAt);
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
        countdown = this.#stride;
        const startedAt = performance.now();
        await this.#propose(command);
        this.#acknowledged++;
        observe(startedAt);
      }
    };
    await Promise.all(Array.from({ length: this.#clients }, client));
    return result;
  }

  /** One client, so many commits. */
  async sequence(commits: number): Promise<void> {
    for (let left = commits; left > 0; left--) {
      const startedAt = performance.now();
      await this.#propose(this.#next());
      this.#acknowledged++;
      this.#record(performance.now() - startedAt);
    }
  }

  #record(latencyMs: number): void {
    this.histogram.recordValue(Math.min(Math.max(1, Math.round(latencyMs * 1000)), microsecondsMax));
  }

  #next(): LoadCommand {
    const value = ++this.#proposed;
    const key = keys[value % keys.length]!;
    if (this.#payload === undefined) return { op: "set", key, value };
    return { op: "set", key, value, payload: this.#payload };
  }
}
