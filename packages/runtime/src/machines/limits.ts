/** Bounds of the ready state machines. Part of what they do: another value is another state machine. */
export const machineLimits = {
  /**
   * What has expired is removed by the commands that follow, so many each: more than the one that a command can add,
   * and few enough that no command pays for all that ended while nobody proposed anything.
   */
  removalsPerCommandMax: 4,
  /** Entries in one chunk of a snapshot: a few tens of kilobytes, between which a learner reads its mail. */
  snapshotChunkEntries: 1000,
  /** Entries in one answer. */
  listedEntriesMax: 1000,
  /** Tokens of a bucket: with their fractions, in billionths, they still are exact integers. */
  bucketTokensMax: 9_000_000,
} as const;
