import { setTimeout as delay } from "node:timers/promises";
import { type Latencies, latenciesOf, latencyHistogram, loadCommand, type Propose, record } from "../load.js";
import { liveLimits } from "./limits.js";

/** What a load did since it was last asked. */
export interface LoadReading {
  readonly commits: number;
  /** Null when nothing was timed. */
  readonly latencyMs: Latencies | null;
}

/** Closed-loop clients whose number changes while they run: each proposes again as soon as its promise settles. */
export class AdjustableLoad {
  readonly #propose: Propose;
  readonly #onFailure: (error: unknown) => void;
  readonly #histogram = latencyHistogram();
  /** By number: those below `#wanted` run. */
  readonly #clients = new Map<number, Promise<void>>();
  #wanted = 0;
  #proposed = 0;
  #commits = 0;
  #countdown = 1;

  /** @param onFailure is told of each command that failed; its client goes on after a while */
  constructor(propose: Propose, onFailure: (error: unknown) => void) {
    this.#propose = propose;
    this.#onFailure = onFailure;
  }

  /** Clients that run, those included that end with their present command. */
  get running(): number {
    return this.#clients.size;
  }

  setClients(clients: number): void {
    this.#wanted = clients;
    for (let number = 0; number < clients; number++) {
      if (!this.#clients.has(number)) this.#clients.set(number, this.#client(number));
    }
  }

  /** What was done since the last call. */
  read(): LoadReading {
    const commits = this.#commits;
    const latencyMs = this.#histogram.totalCount === 0 ? null : latenciesOf(this.#histogram);
    this.#commits = 0;
    this.#histogram.reset();
    return { commits, latencyMs };
  }

  /** Resolves when no client runs any more: when the last command is settled. */
  async stop(): Promise<void> {
    this.#wanted = 0;
    await Promise.all(this.#clients.values());
  }

  async #client(number: number): Promise<void> {
    while (number < this.#wanted) {
      const command = loadCommand(++this.#proposed);
      const isTimed = --this.#countdown <= 0;
      if (isTimed) this.#countdown = this.#wanted <= liveLimits.clientsTimedAll ? 1 : liveLimits.timedEvery;
      const startedAt = isTimed ? performance.now() : 0;
      try {
        await this.#propose(command);
        this.#commits++;
        if (isTimed) record(this.#histogram, performance.now() - startedAt);
      } catch (error) {
        this.#onFailure(error);
        if (number < this.#wanted) await delay(liveLimits.retryAfterMs);
      }
    }
    this.#clients.delete(number);
  }
}
