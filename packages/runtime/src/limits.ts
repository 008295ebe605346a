/** Bounds of the runtime, with their units and reasons. */
export const runtimeLimits = {
  /** Commands of one client that are unanswered at once: bounds what learners keep for it. A power of two. */
  clientWindowCommands: 16_384,
  /** Commands of one client that wait for a place in the window; past it, `OVERLOADED`. */
  clientQueueCommands: 131_072,
  /**
   * Bytes of the commands of one client that wait for a place there, by the upper bound that capturing gives, which is
   * about what they take in memory; past it, `OVERLOADED`.
   */
  clientQueueBytes: 256 * 1024 * 1024,
  /** Queries of one client that are open at once; past it, `OVERLOADED`. */
  clientQueries: 65_536,
  /** Encoded bytes of one command. */
  commandBytesMax: 4 * 1024 * 1024,
  /** Frames to the leader that found no room in its lane wait at the client, up to so many bytes. */
  clientBacklogBytes: 32 * 1024 * 1024,
  /** Encoded bytes of one result or answer. */
  resultBytesMax: 4 * 1024 * 1024,
  /** Bytes of a Response: with more, its results go in several, since no lane takes a frame of any size. */
  responseBytesMax: 64 * 1024 * 1024,
  /** Bytes of a bulk lane; a frame above half of it goes in parts. */
  bulkLaneBytes: 1024 * 1024,
  /**
   * Payload that a leader has under way before it waits: with one more batch, of 262,144 bytes by default, it fits
   * into a bulk lane. What did not fit would be lost until it is sent again.
   */
  pipelineBytes: 512 * 1024,
  /** Bytes of a control lane. */
  controlLaneBytes: 64 * 1024,
  /** Bytes of a lane in which hardly anything is said: from a replica in a user's thread, and from proposers to it. */
  smallLaneBytes: 4096,
  /**
   * Bounds of what one acceptor may be told to retain, in bytes. Up to half of it is taken between snapshots; beside
   * that the largest command must fit in, wherever it is free.
   */
  storageBytesLeast: 64 * 1024 * 1024,
  storageBytesMost: 4_000_000_000,
  /** Batches whose stage times an actor or client keeps until they go on; a pipeline is shorter. Of more, the oldest go. */
  stampedBatches: 4096,
  /**
   * A client has one of so many batches timed: stamps take about a tenth of a small batch's time, and are to take a
   * hundredth. Prime, so that it meets every place of a rhythm.
   */
  stampedEvery: 11,
  /** An unanswered Prepare or Accept is sent again after this long, in milliseconds. */
  retransmitMs: 250,
  /** A learner asks for what it misses after this long, in milliseconds. */
  fetchAfterMs: 100,
  /** A replica in a user's thread does after this long: what feeds it comes in order, so that a gap is a loss. */
  replicaFetchAfterMs: 40,
  /** A replica applies or restores for so long at a time, in milliseconds: the thread is its user's. */
  replicaSliceMs: 2,
  /** Frames that it takes between two looks at the clock: a frame may hold a batch. */
  replicaFramesPerLook: 4,
  /** Commands that it applies between two looks at the clock, at most. */
  replicaPieceCommandsMax: 1024,
  /**
   * A client without progress for this long, in milliseconds, sends again if nobody says that it leads, otherwise
   * after as long once more; the next time after twice as long, and so on. A query is asked again after as long.
   */
  retryAfterMs: 500,
  retryAfterMsMax: 8000,
  /** A client says so often within the time-out of its session that it lives, to the log and to the supervisor. */
  keepAlivesPerTimeout: 4,
  /** A client that waits and hears nothing tells the actors of its lanes again after this long, in milliseconds. */
  announceAfterMs: 2000,
  /** An actor or a client under load gives its event loop a turn this often, in milliseconds. */
  eventLoopTurnMs: 5,
  /** It does so only once it has been at work for so long since, in milliseconds: less is no load. */
  workPerTurnMs: 1,
  /** A round of a thread's actors that takes no longer than this, in milliseconds, is not divided for that turn. */
  shortRoundMs: 1,
  /** A frame that is sent in parts and waits for room is looked after this often, in milliseconds. */
  feedAgainMs: 1,
  /** No actor waits longer than this for a ring of its doorbell, or for a turn of its event loop, in milliseconds. */
  parkMsMax: 500,
  /** How often an actor with a port for a mailbox looks at its deadlines, in milliseconds. */
  portTickMs: 50,
  /** An actor that has not answered a question of the control plane for so long, in milliseconds, is unresponsive. */
  answerWithinMs: 1000,
  /** The same for what takes an actor time in itself: a hash of its state, or a stall that waits for another one. */
  slowAnswerWithinMs: 10_000,
  /** An actor whose thread ended by itself is restarted after this long, in milliseconds; then after twice as long. */
  restartAfterMs: 20,
  restartAfterMsMax: 5000,
  /** An actor that was told to stop has this long, in milliseconds, before its thread is terminated. */
  stopWithinMs: 2000,
  /** A learner that is about to write a snapshot goes on for so long, in milliseconds: another one gets ready to answer. */
  pauseNoticeMs: 20,
  /** A learner that wrote its last snapshot within so long, in milliseconds, gives no notice: see `pauseNoticeMs`. */
  shortPauseMs: 10,
  /** A slot of a learner's snapshots is not overwritten for so long after somebody read a chunk of it, in milliseconds. */
  snapshotHoldMs: 250,
  /** A learner that writes a snapshot says so again within this time, in milliseconds; the others wait for as long. */
  snapshotClaimMs: 5000,
  /** A learner that must wait with a snapshot, for one of the reasons above, asks again after so long, in milliseconds. */
  snapshotAgainMs: 10,
  /** What a learner has learned and not applied, in bytes: beyond it learns nothing more until it has. */
  learnerBacklogBytes: 64 * 1024 * 1024,
  /** What an entry weighs in a learner's memory besides its payload, in bytes, about. */
  entryOverheadBytes: 128,
  /** A snapshot that could not be restored is tried again after so long, in milliseconds; then after twice as long. */
  restoreRetryMs: 100,
  restoreRetryMsMax: 5000,
  /** A `restore()` that has neither ended nor read a chunk for so long, in milliseconds, is given up. */
  restoreStallMs: 30_000,
  /** Queries that a learner keeps until it can answer them; of more it forgets the oldest, which is asked again. */
  waitingQueriesMax: 65_536,
  /** Each of the two snapshots that a learner keeps has at most so many bytes. Memory follows what is written. */
  snapshotBytesMax: 1024 * 1024 * 1024,
  /** The event loop is watched until nobody has asked for the metrics for so long, in milliseconds. */
  eventLoopWatchMs: 120_000,
  /** Frames that an actor takes before it sends what came of them. */
  framesPerTurn: 64,
  /**
   * Threads of actors for each core before a warning: they park when idle, and the seven of a default cluster do well
   * on two cores.
   */
  threadsPerCoreMax: 4,
  /**
   * Frames that an actor or client of a traced run remembers, and instances of which a learner tells the depth, the
   * latest of both: each inspection copies all of them.
   */
  tracedFrames: 4096,
  /**
   * Instances whose causal depths an actor of a traced run remembers, the latest, so that such a run may go on for
   * hours: more than the clients of a few threads have under way.
   */
  tracedInstances: 65_536,
} as const;
