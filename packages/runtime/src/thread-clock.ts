import { readFileSync } from "node:fs";

/** What a thread has done on the cores of the machine: only known on Linux. */
export interface ThreadClock {
  /** Milliseconds on a core. */
  readonly runMs: number;
  /** Milliseconds in which it had something to do, and no core. */
  readonly waitMs: number;
}

/** Of the thread that asks: it must be read synchronously, or a pool's thread would tell of itself. */
export function readThreadClock(): ThreadClock | null {
  try {
    const [run, wait] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
    const clock = { runMs: Number(run) / 1e6, waitMs: Number(wait) / 1e6 };
    return Number.isFinite(clock.runMs + clock.waitMs) ? clock : null;
  } catch {
    return null;
  }
}

/** How long the thread that asks has been on a core, in milliseconds; null where the system does not tell. */
export function threadMs(): number | null {
  return readThreadClock()?.runMs ?? null;
}
