/*
 * `performance.now()` counts from the start of its own thread, `hrtime` from one origin for the whole process.
 * The difference is constant, so it is taken once and the cheaper call serves from then on.
 */
const [seconds, nanoseconds] = process.hrtime();
const offsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

/** Milliseconds on the monotonic clock that all threads of the process share. */
export function monotonicMs(): number {
  return performance.now() + offsetMs;
}
