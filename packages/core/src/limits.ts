/** Every bound that the protocol itself sets, with its unit and its reason. */
export const limits = {
  /** What an entry and each of its segments weigh besides their payload, in bytes, about. */
  entryOverheadBytes: 64,
  /** Bytes of one part of a Promise: a long suffix must not become one frame that no lane can hold. */
  promisePartBytesMax: 256 * 1024,
  /** Bytes that an acceptor sends for one Fetch: a lagging learner catches up in steps it can digest. */
  fetchBytesMax: 512 * 1024,
  /** Commands that wait at a proposer without a place in the pipeline; beyond it the oldest client retries. */
  proposerQueueCommandsMax: 1 << 20,
  /** Instances that a learner applies before it tells the proposers, which lets acceptors trim. */
  progressInstancesMax: 32_768,
  /** A learner that has applied anything at all says so after this many milliseconds. */
  progressIntervalMs: 50,
  /** A learner that catches up asks so often in the time that another waits before it asks. */
  fetchesCatchingUp: 8,
  /** A learner that asks in vain doubles the time until it asks again at most so often. */
  fetchDoublingsMax: 4,
  /** After asking so often in vain for what is chosen, a learner says that it is stuck. */
  fetchesInVainMax: 4,
  /** Threads read one clock, each with an offset of its own: a leader trusts its lease so much shorter. */
  clockSkewMs: 1,
  /** Heartbeats in the time of one lease: as many may be lost or late but one before the lease runs out. */
  heartbeatsPerLease: 4,
  /** A distinguished learner that stands still for less than this, in milliseconds, may just not have reported. */
  learnerStallMsMin: 200,
  /** Reads that wait at a proposer for a leader, or for a round of heartbeats. */
  waitingReadsMax: 65_536,
  /** A vote further ahead than this of what a learner has learned is ignored: it will fetch it later. */
  learnerAheadInstancesMax: 1 << 22,
} as const;
