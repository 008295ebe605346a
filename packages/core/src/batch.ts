import { assert } from "./assert.js";

/** Commands of one session with consecutive sequence numbers, encoded by the client in one piece. */
export interface CommandSegment {
  readonly kind: "commands";
  /** The client that is answered, by the number that makes its address. */
  readonly client: number;
  readonly session: number;
  /** Sequence number of the first command that counts, which is the one at position `skip` of `bytes`. */
  readonly firstSequence: number;
  readonly count: number;
  /** Commands of `bytes` that are passed over: a slice keeps its source's bytes. */
  readonly skip: number;
  /** Results below this sequence number have reached the client and need not be kept. */
  readonly acknowledgedBelow: number;
  /** Index of the learner that answers; the others apply in silence. */
  readonly answerer: number;
  /** Opaque here; only a state machine's host decodes it. */
  readonly bytes: Uint8Array;
}

/** Takes the place of commands whose callers have gone, so that the session's later numbers are not held up. */
export interface FillSegment {
  readonly kind: "fill";
  readonly client: number;
  readonly session: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly acknowledgedBelow: number;
  readonly answerer: number;
}

/** Opens a session; its identity is the instance that this segment is chosen in. */
export interface OpenSegment {
  readonly kind: "open";
  readonly client: number;
  readonly count: 1;
  readonly answerer: number;
}

/** Ends a session: its results and its numbering are forgotten. */
export interface CloseSegment {
  readonly kind: "close";
  readonly client: number;
  readonly session: number;
  readonly count: 1;
}

/** Says that the client of an idle session is still there. */
export interface KeepAliveSegment {
  readonly kind: "keepAlive";
  readonly client: number;
  readonly session: number;
  readonly count: 1;
  readonly answerer: number;
}

/** Fills holes below the highest instance that a new leader found. */
export interface NoopSegment {
  readonly kind: "noop";
  readonly count: number;
}

export type Segment =
  | CommandSegment
  | FillSegment
  | OpenSegment
  | CloseSegment
  | KeepAliveSegment
  | NoopSegment;

/** Segments that carry a range of one session's sequence numbers. */
export type SequencedSegment = CommandSegment | FillSegment;

/** Values for `count` consecutive instances that travel as one Accept message. */
export interface Batch {
  /** The leader's clock when it made the batch, in milliseconds: part of the value, the same on every replica. */
  readonly timeMs: number;
  readonly count: number;
  readonly segments: readonly Segment[];
}

/** A batch of nothing, for `count` instances that no acceptor of a quorum knows a value for. */
export function noopBatch(count: number, timeMs: number): Batch {
  return { timeMs, count, segments: [{ kind: "noop", count }] };
}

/** Size of a segment's payload, in bytes. */
export function segmentBytes(segment: Segment): number {
  return segment.kind === "commands" ? segment.bytes.byteLength : 0;
}

/** Size of a batch's payloads, in bytes; what surrounds them is not counted. */
export function batchBytes(batch: Batch): number {
  let bytes = 0;
  for (const segment of batch.segments) bytes += segmentBytes(segment);
  return bytes;
}

/** The part of a segment from position `skip` on, `count` positions long. The bytes are shared, not copied. */
export function sliceSegment(segment: Segment, skip: number, count: number): Segment {
  assert(skip >= 0 && count > 0 && skip + count <= segment.count, "a slice lies within its segment");
  if (count === segment.count) return segment;
  switch (segment.kind) {
    case "commands":
      return {
        ...segment,
        firstSequence: segment.firstSequence + skip,
        count,
        skip: segment.skip + skip,
      };
    case "fill":
      return { ...segment, firstSequence: segment.firstSequence + skip, count };
    case "noop":
      return { kind: "noop", count };
    default:
      return segment;
  }
}

/**
 * The values of the instances from position `skip` on, `count` of them. Batches of different ballots overlap at
 * different boundaries, so every accepted batch must be divisible at any instance.
 */
export function sliceBatch(batch: Batch, skip: number, count: number): Batch {
  assert(skip >= 0 && count > 0 && skip + count <= batch.count, "a slice lies within its batch");
  if (count === batch.count) return batch;
  const segments: Segment[] = [];
  const end = skip + count;
  let at = 0;
  for (const segment of batch.segments) {
    const from = Math.max(at, skip);
    const to = Math.min(at + segment.count, end);
    if (from < to) segments.push(sliceSegment(segment, from - at, to - from));
    at += segment.count;
  }
  return { timeMs: batch.timeMs, count, segments };
}
