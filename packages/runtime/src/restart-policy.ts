import { runtimeLimits } from "./limits.js";

/** How often an actor may be restarted: see `ClusterOptions.restarts`. */
export interface RestartLimit {
  readonly max: number;
  readonly windowMs: number;
}

/** When an actor whose thread ended by itself is restarted: later each time, and not for ever. */
export class RestartPolicy {
  readonly #limit: RestartLimit;
  /** When the thread ended, within the window. */
  #ends: number[] = [];

  constructor(limit: RestartLimit) {
    this.#limit = limit;
  }

  /** Milliseconds until the actor is restarted after an end at `now`; undefined when it is given up. */
  delayMs(now: number): number | undefined {
    const { max, windowMs } = this.#limit;
    this.#ends = this.#ends.filter(at => now - at < windowMs);
    const earlier = this.#ends.length;
    if (earlier >= max) return undefined;
    this.#ends.push(now);
    return Math.min(runtimeLimits.restartAfterMs * 2 ** earlier, runtimeLimits.restartAfterMsMax);
  }
}
