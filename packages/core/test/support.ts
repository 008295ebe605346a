import type { AcceptedEntry, Ballot, Batch, CommandSegment } from "@synod/core";

/** A ballot of the first life of a proposer. */
export function ballotOf(round: number, proposer = 1): Ballot {
  return { round, incarnation: 1, proposer };
}

/** Commands of one session; `more` says where they differ from the others. */
export function commandSegment(
  firstSequence: number,
  count: number,
  more: Partial<CommandSegment> = {},
): CommandSegment {
  const who = { client: 1, session: 9, acknowledgedBelow: 1, answerer: 0 };
  return { kind: "commands", ...who, firstSequence, count, skip: 0, bytes: new Uint8Array(count), ...more };
}

/** A batch of one segment of commands. */
export function commands(firstSequence: number, count: number, timeMs = 1): Batch {
  return { timeMs, count, segments: [commandSegment(firstSequence, count)] };
}

/** A batch as an acceptor has accepted it. */
export function entryOf(ballot: Ballot, firstInstance: number, batch: Batch): AcceptedEntry {
  return { ballot, firstInstance, count: batch.count, batch, source: null };
}

/** Sequence numbers of a batch of commands, one per instance. */
export function sequencesOf({ segments }: Batch): number[] {
  return segments.flatMap(segment =>
    Array.from({ length: segment.count }, (_, at) =>
      "firstSequence" in segment ? segment.firstSequence + at : -1,
    ),
  );
}
