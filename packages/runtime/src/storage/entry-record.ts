import { crc32 } from "node:zlib";
import { type AcceptedEntry, assert, type Batch, batchBytes, type Segment } from "@synod/core";
import { segmentKinds } from "../frame-codec.js";
import { copyToShared } from "../shared-copy.js";

/*
 * An accepted entry as it lies in a region: its numbers, 64 bits each, as good for 2^53 as they are for 1; then the
 * payloads of its segments, one behind the other; then as much as makes a multiple of eight. Numbers and bytes are
 * copied once, into their place, and nothing is allocated on the way.
 *
 *   checksum, length, number | first instance, count, ballot (3), time, source (3), segments
 *   per segment: kind, count, client, answerer, session, first sequence, acknowledged below, skip, payload bytes
 */
const CHECKSUM = 0;
const LENGTH = 1;
const NUMBER = 2;
const FIRST_INSTANCE = 3;
const COUNT = 4;
const SEGMENTS = 12;
const FIXED_FIELDS = 13;
const SEGMENT_FIELDS = 9;
const FIELD_BYTES = Float64Array.BYTES_PER_ELEMENT;
const CHECKED_FROM = FIELD_BYTES;

/** Bytes of the shortest record. */
export const RECORD_BYTES_MIN = FIXED_FIELDS * FIELD_BYTES;

/** The same memory as bytes and as numbers. */
export interface RegionViews {
  readonly bytes: Uint8Array;
  readonly numbers: Float64Array;
}

/** Where a record is and what it covers, as its first fields say. */
export interface RecordHead {
  readonly length: number;
  /** The first instance after the record's entry. */
  readonly endInstance: number;
}

/** Bytes of an entry's record: a multiple of eight. */
export function recordBytesOf({ batch }: AcceptedEntry): number {
  return recordBytes(batch.segments.length, batchBytes(batch));
}

/**
 * No fewer than what the records of entries make that weigh `bytes` in all, by core's scale: that counts 64 bytes for
 * an entry and for each segment, where a record has up to 111 and 72.
 */
export function recordBytesMax(bytes: number): number {
  return bytes * 2;
}

function recordBytes(segments: number, payloadBytes: number): number {
  const fields = FIXED_FIELDS + segments * SEGMENT_FIELDS + Math.ceil(payloadBytes / FIELD_BYTES);
  return fields * FIELD_BYTES;
}

let scratch = new Float64Array(256);

/** Writes the record of an entry at a position; `length` is its {@link recordBytesOf}. */
export function writeRecord(
  views: RegionViews,
  position: number,
  length: number,
  number: number,
  entry: AcceptedEntry,
): void {
  const { ballot, source, batch } = entry;
  assert(entry.count === batch.count, "an entry covers what its batch does");
  const fieldCount = FIXED_FIELDS + batch.segments.length * SEGMENT_FIELDS;
  if (scratch.length < fieldCount) scratch = new Float64Array(fieldCount * 2);
  const f = scratch;
  f[CHECKSUM] = 0;
  f[LENGTH] = length;
  f[NUMBER] = number;
  f[FIRST_INSTANCE] = entry.firstInstance;
  f[COUNT] = entry.count;
  f[5] = ballot.round;
  f[6] = ballot.incarnation;
  f[7] = ballot.proposer;
  f[8] = batch.timeMs;
  f[9] = source === null ? 0 : source.firstInstance;
  f[10] = source === null ? 0 : source.count; // A source without instances is none.
  f[11] = source === null ? 0 : source.digest;
  f[SEGMENTS] = batch.segments.length;
  let at = FIXED_FIELDS;
  let payloadAt = position + fieldCount * FIELD_BYTES;
  for (const segment of batch.segments) {
    const bytes = putSegment(f, at, segment);
    at += SEGMENT_FIELDS;
    if (bytes === undefined) continue;
    copyToShared(views.bytes, payloadAt, bytes);
    payloadAt += bytes.byteLength;
  }
  views.numbers.set(f.length === fieldCount ? f : f.subarray(0, fieldCount), position / FIELD_BYTES);
  views.numbers[position / FIELD_BYTES + CHECKSUM] = crc32(
    views.bytes.subarray(position + CHECKED_FROM, position + length),
  );
}

/** Puts a segment's numbers in and returns its payload. */
function putSegment(f: Float64Array, at: number, segment: Segment): Uint8Array | undefined {
  f[at] = segmentKinds.indexOf(segment.kind);
  f[at + 1] = segment.count;
  f[at + 2] = segment.kind === "noop" ? 0 : segment.client;
  f[at + 3] = "answerer" in segment ? segment.answerer : 0;
  f[at + 4] = "session" in segment ? segment.session : 0;
  const isSequenced = segment.kind === "commands" || segment.kind === "fill";
  f[at + 5] = isSequenced ? segment.firstSequence : 0;
  f[at + 6] = isSequenced ? segment.acknowledgedBelow : 0;
  f[at + 7] = segment.kind === "commands" ? segment.skip : 0;
  f[at + 8] = segment.kind === "commands" ? segment.bytes.byteLength : 0;
  return segment.kind === "commands" ? segment.bytes : undefined;
}

/** Reads the first fields of the record at a position. Its checksum is not looked at. */
export function readRecordHead({ numbers }: RegionViews, position: number): RecordHead {
  const at = position / FIELD_BYTES;
  const firstInstance = numbers[at + FIRST_INSTANCE] as number;
  return {
    length: numbers[at + LENGTH] as number,
    endInstance: firstInstance + (numbers[at + COUNT] as number),
  };
}

/**
 * The entry of the record at a position, in memory of its own. Undefined when the record is not the one of this
 * number, does not end by `end`, or is damaged.
 */
export function readRecord(
  views: RegionViews,
  position: number,
  end: number,
  number: number,
): { readonly entry: AcceptedEntry; readonly length: number } | undefined {
  if (end - position < RECORD_BYTES_MIN) return undefined;
  const { length } = readRecordHead(views, position);
  const isLength = length >= RECORD_BYTES_MIN && length <= end - position && length % FIELD_BYTES === 0;
  if (!isLength) return undefined;
  const bytes = views.bytes.slice(position, position + length);
  const f = new Float64Array(bytes.buffer, 0, length / FIELD_BYTES);
  if (f[CHECKSUM] !== crc32(bytes.subarray(CHECKED_FROM)) || f[NUMBER] !== number) return undefined;
  return { entry: toEntry(f, bytes), length };
}

// The checksum vouches for every field: from here on the numbers are what was written.
const numberAt = (f: Float64Array, at: number): number => f[at] as number;

function toEntry(f: Float64Array, bytes: Uint8Array): AcceptedEntry {
  const count = numberAt(f, COUNT);
  const segments: Segment[] = [];
  const segmentCount = numberAt(f, SEGMENTS);
  let payloadAt = (FIXED_FIELDS + segmentCount * SEGMENT_FIELDS) * FIELD_BYTES;
  for (let index = 0; index < segmentCount; index++) {
    const at = FIXED_FIELDS + index * SEGMENT_FIELDS;
    const payloadEnd = payloadAt + numberAt(f, at + 8);
    segments.push(toSegment(f, at, bytes.subarray(payloadAt, payloadEnd)));
    payloadAt = payloadEnd;
  }
  const batch: Batch = { timeMs: numberAt(f, 8), count, segments };
  const ballot = { round: numberAt(f, 5), incarnation: numberAt(f, 6), proposer: numberAt(f, 7) };
  const source = { firstInstance: numberAt(f, 9), count: numberAt(f, 10), digest: numberAt(f, 11) };
  const firstInstance = numberAt(f, FIRST_INSTANCE);
  return { ballot, firstInstance, count, batch, source: source.count === 0 ? null : source };
}

function toSegment(f: Float64Array, at: number, bytes: Uint8Array): Segment {
  const kind = segmentKinds[numberAt(f, at)];
  const count = numberAt(f, at + 1);
  const client = numberAt(f, at + 2);
  const answerer = numberAt(f, at + 3);
  const session = numberAt(f, at + 4);
  const firstSequence = numberAt(f, at + 5);
  const acknowledgedBelow = numberAt(f, at + 6);
  switch (kind) {
    case "open":
      return { kind, client, count: 1, answerer };
    case "close":
      return { kind, client, session, count: 1 };
    case "keepAlive":
      return { kind, client, session, count: 1, answerer };
    case "fill":
      return { kind, client, session, firstSequence, count, acknowledgedBelow, answerer };
    case "commands": {
      const skip = numberAt(f, at + 7);
      return { kind, client, session, firstSequence, count, acknowledgedBelow, answerer, skip, bytes };
    }
    default:
      return { kind: "noop", count };
  }
}
