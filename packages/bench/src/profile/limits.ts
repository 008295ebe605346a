/** Bounds and defaults of `synod-bench profile`, with their units and reasons. */
export const profileLimits = {
  /** Seconds under the profilers. */
  seconds: 5,
  /**
   * Microseconds between two looks at a stack. Each of them interrupts its thread, also one that is parked: with eight
   * threads that is 8,000 interruptions a second, and twice as many leave nothing to measure on two cores.
   */
  cpuIntervalUs: 1000,
  /** Bytes allocated, on average, between two looks at who allocates. */
  allocationIntervalBytes: 16_384,
  /** Milliseconds of load before the profilers start: code is compiled by then. */
  warmUpMs: 1000,
  /** Calls under way and commands of each, of `--load proposeAll` and `--load bytes`. */
  bulk: { calls: 16, commands: 1000 },
  /**
   * With and without stage times, in turns: so many rounds of four slices, fewer where they take too long, of at least
   * so many milliseconds each. Before them so many slices that do not count.
   */
  cost: { rounds: 8, roundsLeast: 3, sliceMs: 100, warmUpSlices: 8 },
  /** Shares of a thread's time below which a frame is not drawn: nobody would see it. */
  drawnShare: 0.001,
  /** Rows of a table of lines. */
  lines: 25,
} as const;

/** Where the rules draw their lines: shares of the time that was measured. */
export const verdictLimits = {
  /** A thread that works for so much of the time has hardly anything to wait for: it bounds the rest. */
  busy: 0.75,
  /** Threads of a role that are so close to the busiest one are named with it. */
  likewise: 0.15,
  /** The machine's cores are full when so little of them is idle... */
  idle: 0.1,
  /** ...and it is this process that fills them when it takes so much of them. */
  ownShare: 0.5,
  /** Of the time in which threads had something to do, so much without a core is worth a word. */
  withoutCore: 0.3,
} as const;
