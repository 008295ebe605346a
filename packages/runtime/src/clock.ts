/** Readings from which the best is taken: the first ones also load what Node loads late. */
const readings = 8;

/*
 * `performance.now()` counts from the start of its own thread, `hrtime` from one origin for the whole process.
 * The difference is constant, so it is taken once and the cheaper call serves from then on.
 */
const offsetMs = measureOffsetMs();

/** Milliseconds on the monotonic clock that all threads of the process share. */
export function monotonicMs(): number {
  return performance.now() + offsetMs;
}

/**
 * Between two calls a thread may lose its core, and the first touch of `performance` takes half a millisecond. The
 * pair of readings that lie closest together shows how well their middle is known.
 */
function measureOffsetMs(): number {
  let closestMs = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let reading = 0; reading < readings; reading++) {
    const before = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const after = performance.now();
    if (after - before >= closestMs) continue;
    closestMs = after - before;
    offset = seconds * 1e3 + nanoseconds / 1e6 - (before + after) / 2;
  }
  return offset;
}
