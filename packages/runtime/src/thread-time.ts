import { readFileSync } from "node:fs";

/** How long the thread that asks has been on a core, in milliseconds; null where the system does not tell. */
export function threadMs(): number | null {
  try {
    // Read synchronously, it is this thread that reads it: a pool's thread would tell of itself.
    const ms = Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ", 1)[0]) / 1e6;
    return Number.isFinite(ms) ? ms : null;
  } catch {
    return null;
  }
}
