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
  /** Bytes of payload that wait there, besides one proposal: much for a burst, little for a thread's heap. */
  proposerQueueBytesMax: 64 * 1024 * 1024,
  /** Bytes of payload that a client keeps unanswered, besides one submission: it may have to send all of them again. */
  clientWindowBytesMax: 32 * 1024 * 1024,
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
  /** The same while nothing is proposed or read: then a leader that comes late delays nobody's command. */
  heartbeatsPerIdleLease: 2,
  /** A distinguished learner that stands still for less than this, in milliseconds, may just not have reported. */
  learnerStallMsMin: 200,
  /**
   * A client that waits and hears nothing asks after a quarter of a lease, within these bounds in milliseconds, whether
   * anybody leads: answers usually take less than the least, and a long lease must not make it slow to find out.
   */
  probeAfterMsMin: 50,
  probeAfterMsMax: 250,
  /** It asks again every half of a lease, at least so often in milliseconds. */
  probeAgainMsMax: 1000,
  /** Reads that wait at a proposer for a leader, or for a round of heartbeats. */
  waitingReadsMax: 65_536,
  /** A vote further ahead than this of what a learner has learned is ignored: it will fetch it later. */
  learnerAheadInstancesMax: 1 << 22,
  /** A learner that restores a snapshot holds trimming back for so long, in milliseconds: then the log goes on. */
  restorePinMs: 10_000,
  /** Results of instances divisible by this are compared between learners. */
  resultSampleEvery: 32,
  /** Samples that a learner keeps to compare, and of each other learner's that it has not applied yet. */
  resultSamplesKept: 4096,
  /** Samples in one message, about as many as fit into a kilobyte. */
  samplesPerMessage: 64,
  /** A learner that was heard of within so many milliseconds is taken to be alive. */
  learnerAliveMs: 3000,
  /** Learners say so often within that time that they live, whatever there is to say. */
  signsOfLifePerAliveMs: 3,
  /** Whoever answers in another learner's place stops after so many milliseconds, unless asked again. */
  standInMs: 5000,
  /** An observer says so often, in milliseconds, that it is there, and asks how far the learners are. */
  followEveryMs: 300,
  /** A learner feeds an observer for so long, in milliseconds, after it was heard of: a few of its messages may get lost. */
  followerAliveMs: 2000,
  /** A learner that has not answered an observer for so long, in milliseconds, is replaced by the next one. */
  followedWithinMs: 700,
  /** Bytes of values that an observer keeps while something below is missing. What comes beyond, it fetches later. */
  observerAheadBytesMax: 64 * 1024 * 1024,
  /** A snapshot that failed is tried again after so many milliseconds, then after twice as many, and so on. */
  snapshotRetryMs: 1000,
  snapshotRetryDoublingsMax: 6,
} as const;
