/** Bounds and defaults of the live page, with their reasons. The page loads this file too: it imports nothing. */
export const liveLimits = {
  /** A client's window in the runtime holds 16,384 commands; a page that is opened begins with a moderate load. */
  clients: { min: 1, max: 16_384, default: 256 },
  /** Commands per Accept, when the size does not follow the load. */
  batch: { min: 1, max: 16_384 },
  /** Accepts under way at once. */
  pipeline: { min: 1, max: 4096, default: 16 },
  /** Milliseconds that an actor stands still: long enough to be replaced, short enough to see it come back. */
  pauseMs: { min: 1, max: 60_000, default: 2000 },
  port: { min: 0, max: 65_535, default: 0 },
  /** Milliseconds between two points of the charts. */
  sampleEveryMs: 500,
  /** Milliseconds between two looks at the actors, each of which asks all of them. */
  lookEveryMs: 500,
  /** The same while frames are traced: each look copies some thousands of them from every actor. */
  tracedLookEveryMs: 1500,
  /** Points of the charts that are kept: five minutes. */
  samplesKept: 600,
  /** Lines of the log that are kept. */
  eventsKept: 200,
  /** With more clients than this one of so many commits is timed. Prime, so that it meets every place of a batch. */
  timedEvery: 17,
  clientsTimedAll: 64,
  /** Milliseconds that a client waits after its command failed: one that fails at once must not spin. */
  retryAfterMs: 100,
  /** Milliseconds between two reports of failed commands: thousands of clients fail together. */
  failureReportEveryMs: 1000,
  /** Bytes of the body of an action. */
  bodyBytesMax: 4096,
  /** Updates that wait for a page that does not read, before its stream is ended; it may come again. A minute of them. */
  updatesWaitingMax: 500,
  /** Milliseconds that the page's stream stays silent at most, so that a page that has gone is noticed. */
  keepAliveMs: 15_000,
} as const;
