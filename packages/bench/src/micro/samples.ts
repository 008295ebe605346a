import type { AcceptMessage, Ballot, Batch, CommandSegment } from "@synod/core";
import { commandCodec } from "@synod/runtime/internal";
import { type LoadCommand, loadCommand } from "../load.js";

export const ballot: Ballot = { round: 2, incarnation: 1, proposer: 0 };
export const laterBallot: Ballot = { round: 3, incarnation: 1, proposer: 0 };

/** As many as a batch of a busy cluster with this many sessions has of each. */
export const commandsPerSegment = 64;
const segmentsPerBatch = 4;
export const commandsPerBatch = commandsPerSegment * segmentsPerBatch;

export const commands: readonly LoadCommand[] = Array.from({ length: commandsPerSegment }, (_, index) =>
  loadCommand(index + 1),
);
const bytes = commandCodec.encode(commands);

/** Commands of a session, from one client that has read the answers to all earlier ones. */
export function segmentOf(
  session: number,
  firstSequence: number,
  count = commandsPerSegment,
): CommandSegment {
  return {
    kind: "commands",
    client: session,
    session,
    firstSequence,
    count,
    skip: 0,
    acknowledgedBelow: firstSequence,
    answerer: 0,
    bytes,
  };
}

/** The `number`th batch of these sessions, from 0 on. */
export function batchOf(number: number, sessions = segmentsPerBatch): Batch {
  const segments = Array.from({ length: sessions }, (_, session) =>
    segmentOf(session, 1 + number * commandsPerSegment),
  );
  return { timeMs: number, count: sessions * commandsPerSegment, segments };
}

export function acceptOf(number: number): AcceptMessage {
  return {
    type: "accept",
    ballot,
    firstInstance: number * commandsPerBatch,
    batch: batchOf(number),
    trimBelow: 0,
    leaseUntil: 0,
    distinguished: -1,
    source: null,
  };
}
