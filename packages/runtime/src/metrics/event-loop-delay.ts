import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { runtimeLimits } from "../limits.js";

/** How late an event loop was, in milliseconds: what a timer had to wait beyond its time. */
export interface EventLoopDelay {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How often it is looked at, in milliseconds. */
const resolutionMs = 10;

/**
 * Watches the event loop of this thread while somebody wants to know: from the first look on, until nobody has looked
 * for a while. Watching wakes the thread a hundred times a second, which a quiet process would notice.
 */
export class EventLoopWatch {
  #watched: IntervalHistogram | undefined;
  #giveUp: NodeJS.Timeout | undefined;

  /** Since the last look; null when nobody has watched since then. */
  look(): EventLoopDelay | null {
    const watched = this.#watched;
    this.#watched ??= monitorEventLoopDelay({ resolution: resolutionMs });
    this.#watched.enable();
    clearTimeout(this.#giveUp);
    this.#giveUp = setTimeout(() => this.stop(), runtimeLimits.eventLoopWatchMs);
    this.#giveUp.unref();
    if (watched === undefined || watched.count === 0) return null;
    const delay = {
      meanMs: lateMs(watched.mean),
      p50Ms: lateMs(watched.percentile(50)),
      p99Ms: lateMs(watched.percentile(99)),
      maxMs: lateMs(watched.max),
    };
    watched.reset();
    return delay;
  }

  stop(): void {
    clearTimeout(this.#giveUp);
    this.#watched?.disable();
    this.#watched = undefined;
  }
}

/** Node tells how long it was from one look to the next, in nanoseconds. */
function lateMs(intervalNs: number): number {
  return Math.max(0, intervalNs / 1e6 - resolutionMs);
}
