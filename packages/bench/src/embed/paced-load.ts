import type { Histogram } from "hdr-histogram-js";
import { type Load, loadCommand, type Propose, type Slice } from "../load.js";

/** Commands come in such pieces of time, in milliseconds: no timer of Node is finer. */
const paceMs = 1;

/** Commands at a fixed rate from this thread, whatever becomes of them: what goes on beside a measurement. */
export class PacedLoad {
  readonly #propose: Propose;
  readonly #perSecond: number;
  readonly #open = new Set<Promise<void>>();
  #proposed = 0;
  #acknowledged = 0;
  #runningMs = 0;
  #startedAt = 0;
  #proposedBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(propose: Propose, perSecond: number) {
    this.#propose = propose;
    this.#perSecond = perSecond;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** What it has kept up, in commands per second; null when it has never run. */
  get achievedPerSecond(): number | null {
    return this.#runningMs === 0 ? null : (1000 * this.#acknowledged) / this.#runningMs;
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#proposedBefore = this.#proposed;
    this.#timer = setInterval(() => this.#proposeDue(), paceMs);
  }

  /** Resolves when everything is answered. @throws what a proposal was rejected with */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#runningMs += performance.now() - this.#startedAt;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #proposeDue(): void {
    const due = Math.floor(((performance.now() - this.#startedAt) * this.#perSecond) / 1000);
    while (this.#proposed - this.#proposedBefore < due) {
      const open = this.#propose(loadCommand(++this.#proposed)).then(
        () => {
          this.#acknowledged++;
          this.#open.delete(open);
        },
        error => {
          this.#failure ??= error;
          this.#open.delete(open);
        },
      );
      this.#open.add(open);
    }
  }
}

/** A load beside which the other one goes on while it is sampled. */
export function beside(load: Load, paced: PacedLoad): Load {
  return {
    get acknowledged() {
      return load.acknowledged;
    },
    async slice(clients: number, durationMs: number, histogram?: Histogram): Promise<Slice> {
      paced.start();
      try {
        return await load.slice(clients, durationMs, histogram);
      } finally {
        await paced.stop();
      }
    },
  };
}
