import {
  type AcceptedEntry,
  ApplyFailure,
  assertNever,
  type Ballot,
  type Batch,
  type DigestSource,
  type Message,
  type MessageType,
  type Segment,
} from "@synod/core";
import { Packr, RESET_BUFFER_MODE } from "msgpackr";
import { valueCodec } from "./command-codec.js";
import { SynodError } from "./errors.js";
import { decodeResults, encodeResults } from "./result-codec.js";
import type { StageStamps } from "./stage-times.js";

/*
 * Protocol messages are positional msgpack arrays that any msgpack library can read: the type's number, then the
 * fields in the order of their declaration in core's messages.ts. Behind them a traced frame has its causal depth, and
 * one whose stages are timed its stamps.
 */
const packr = new Packr({ useRecords: false });

/** Position in this list is a type's number on the wire: append only. */
export const messageTypes = [
  "propose",
  "notLeader",
  "prepare",
  "promise",
  "refuse",
  "accept",
  "accepted",
  "fetch",
  "trimmed",
  "progress",
  "response",
  "sessionOpened",
  "sessionExpired",
  "sequenceGap",
  "query",
  "answer",
  "heartbeat",
  "granted",
  "release",
  "chosen",
  "read",
  "readReady",
  "sample",
  "standIn",
  "follow",
  "followed",
] as const satisfies readonly MessageType[];

const typeNumbers = Object.fromEntries(messageTypes.map((type, number) => [type, number])) as Record<
  MessageType,
  number
>;

/** The number of a message's type, also its index in tables of counters. */
export function typeNumberOf(type: MessageType): number {
  return typeNumbers[type];
}

/** A view of a buffer that the next call reuses: copy it, or hand it on, before that. */
export function encodeFrame(message: Message, trailer?: number | StageStamps): Uint8Array {
  const fields = fieldsOf(message, typeNumbers[message.type]);
  if (trailer !== undefined) fields.push(trailer);
  // Into the same memory each time: large frames would be as much garbage.
  return packr.pack(fields, RESET_BUFFER_MODE);
}

export interface Frame {
  readonly message: Message;
  /** Length of the chain of frames that led to this one; only in traced runs. */
  readonly depth: number | undefined;
  /** Only where stages are timed. */
  readonly stamps: StageStamps | undefined;
}

/** `frame` must be private to the caller: byte fields are views of it. */
export function decodeFrame(frame: Uint8Array): Frame {
  const fields = packr.unpack(frame) as Field[];
  const type = messageTypes[fields[0] as number];
  if (type === undefined)
    throw new SynodError("ACTOR_FAILED", `a frame of unknown type ${String(fields[0])}`);
  const message = messageOf(type, fields);
  const trailer = fields[fieldCounts[type] + 1] as number | StageStamps | undefined;
  if (typeof trailer === "object") return { message, depth: undefined, stamps: trailer };
  return { message, depth: trailer, stamps: undefined };
}

// biome-ignore lint/suspicious/noExplicitAny: a decoded frame is positional; messageOf gives the fields their types
type Field = any;

const fieldCounts: Record<MessageType, number> = {
  propose: 2,
  notLeader: 3,
  prepare: 3,
  promise: 5,
  refuse: 5,
  accept: 7,
  accepted: 7,
  fetch: 1,
  trimmed: 1,
  progress: 4,
  response: 5,
  sessionOpened: 1,
  sessionExpired: 1,
  sequenceGap: 3,
  query: 3,
  answer: 3,
  heartbeat: 5,
  granted: 3,
  release: 1,
  chosen: 4,
  read: 1,
  readReady: 4,
  sample: 2,
  standIn: 1,
  follow: 2,
  followed: 1,
};

/** The type's number comes first. */
function fieldsOf(message: Message, type: number): unknown[] {
  switch (message.type) {
    case "propose":
      return [type, message.segments.map(segmentFields), message.forwarded];
    case "notLeader":
      return [type, ballotFields(message.ballot), message.leader, message.forwarded];
    case "prepare": {
      const released = message.released && ballotFields(message.released);
      return [type, ballotFields(message.ballot), message.firstInstance, released];
    }
    case "promise":
      return [
        type,
        ballotFields(message.ballot),
        message.firstInstance,
        message.trimmedBelow,
        message.accepted.map(entryFields),
        message.continuesAt,
      ];
    case "refuse":
      return [
        type,
        ballotFields(message.ballot),
        ballotFields(message.promised),
        message.trimmedBelow,
        message.leaseUntil,
        message.full,
      ];
    case "accept":
      return [
        type,
        ballotFields(message.ballot),
        message.firstInstance,
        batchFields(message.batch),
        message.trimBelow,
        message.leaseUntil,
        message.distinguished,
        message.source && sourceFields(message.source),
      ];
    case "accepted":
      return [
        type,
        ballotFields(message.ballot),
        message.firstInstance,
        message.count,
        message.batch && batchFields(message.batch),
        message.source && sourceFields(message.source),
        message.leaseUntil,
        message.distinguished,
      ];
    case "fetch":
      return [type, message.firstInstance];
    case "trimmed":
      return [type, message.trimmedBelow];
    case "progress":
      return [type, message.appliedBelow, message.stuck, message.trimBelow, message.pinnedAt];
    case "response": {
      const { results, failures } = encodeResults(message.results);
      return [type, message.session, message.firstSequence, results, failures, message.appliedBelow];
    }
    case "sessionOpened":
    case "sessionExpired":
      return [type, message.session];
    case "sequenceGap":
      return [type, message.session, message.expected, ballotFields(message.ballot)];
    case "query":
      return [type, message.id, message.appliedBelow, message.bytes];
    case "answer": {
      const failed = message.result instanceof ApplyFailure;
      const result = failed ? (message.result as ApplyFailure).reason : valueCodec.encode(message.result);
      return [type, message.id, result, message.appliedBelow];
    }
    case "heartbeat":
      return [
        type,
        ballotFields(message.ballot),
        message.leaseUntil,
        message.round,
        message.chosenBelow,
        message.distinguished,
      ];
    case "granted":
      return [type, ballotFields(message.ballot), message.leaseUntil, message.round];
    case "release":
      return [type, ballotFields(message.ballot)];
    case "chosen":
      return [
        type,
        ballotFields(message.ballot),
        message.firstInstance,
        message.count,
        batchFields(message.batch),
      ];
    case "read":
      return [type, message.id];
    case "readReady":
      return [type, message.id, ballotFields(message.ballot), message.readBelow, message.storageFull];
    case "sample":
      return [type, message.appliedBelow, message.samples];
    case "standIn":
      return [type, message.on];
    case "follow":
      return [type, message.appliedBelow, message.feed];
    case "followed":
      return [type, message.chosenBelow];
    default:
      return assertNever(message);
  }
}

function messageOf(type: MessageType, f: Field[]): Message {
  switch (type) {
    case "propose":
      return { type, segments: f[1].map(toSegment), forwarded: f[2] };
    case "notLeader":
      return { type, ballot: toBallot(f[1]), leader: f[2], forwarded: f[3] };
    case "prepare":
      return { type, ballot: toBallot(f[1]), firstInstance: f[2], released: f[3] && toBallot(f[3]) };
    case "promise":
      return {
        type,
        ballot: toBallot(f[1]),
        firstInstance: f[2],
        trimmedBelow: f[3],
        accepted: f[4].map(toEntry),
        continuesAt: f[5],
      };
    case "refuse":
      return {
        type,
        ballot: toBallot(f[1]),
        promised: toBallot(f[2]),
        trimmedBelow: f[3],
        leaseUntil: f[4],
        full: f[5],
      };
    case "accept":
      return {
        type,
        ballot: toBallot(f[1]),
        firstInstance: f[2],
        batch: toBatch(f[3]),
        trimBelow: f[4],
        leaseUntil: f[5],
        distinguished: f[6],
        source: f[7] && toSource(f[7]),
      };
    case "accepted":
      return {
        type,
        ballot: toBallot(f[1]),
        firstInstance: f[2],
        count: f[3],
        batch: f[4] && toBatch(f[4]),
        source: f[5] && toSource(f[5]),
        leaseUntil: f[6],
        distinguished: f[7],
      };
    case "fetch":
      return { type, firstInstance: f[1] };
    case "trimmed":
      return { type, trimmedBelow: f[1] };
    case "progress":
      return { type, appliedBelow: f[1], stuck: f[2], trimBelow: f[3], pinnedAt: f[4] };
    case "response": {
      const results = decodeResults(f[3], f[4]);
      return { type, session: f[1], firstSequence: f[2], results, appliedBelow: f[5] };
    }
    case "sessionOpened":
      return { type, session: f[1] };
    case "sessionExpired":
      return { type, session: f[1] };
    case "sequenceGap":
      return { type, session: f[1], expected: f[2], ballot: toBallot(f[3]) };
    case "query":
      return { type, id: f[1], appliedBelow: f[2], bytes: f[3] };
    case "answer": {
      const result = typeof f[2] === "string" ? new ApplyFailure(f[2]) : valueCodec.decode(f[2]);
      return { type, id: f[1], result, appliedBelow: f[3] };
    }
    case "heartbeat":
      return {
        type,
        ballot: toBallot(f[1]),
        leaseUntil: f[2],
        round: f[3],
        chosenBelow: f[4],
        distinguished: f[5],
      };
    case "granted":
      return { type, ballot: toBallot(f[1]), leaseUntil: f[2], round: f[3] };
    case "release":
      return { type, ballot: toBallot(f[1]) };
    case "chosen":
      return { type, ballot: toBallot(f[1]), firstInstance: f[2], count: f[3], batch: toBatch(f[4]) };
    case "read":
      return { type, id: f[1] };
    case "readReady":
      return { type, id: f[1], ballot: toBallot(f[2]), readBelow: f[3], storageFull: f[4] };
    case "sample":
      return { type, appliedBelow: f[1], samples: f[2] };
    case "standIn":
      return { type, on: f[1] };
    case "follow":
      return { type, appliedBelow: f[1], feed: f[2] };
    case "followed":
      return { type, chosenBelow: f[1] };
    default:
      return assertNever(type);
  }
}

const ballotFields = (ballot: Ballot) => [ballot.round, ballot.incarnation, ballot.proposer];
const toBallot = (f: Field[]): Ballot => ({ round: f[0], incarnation: f[1], proposer: f[2] });

const sourceFields = (source: DigestSource) => [source.firstInstance, source.count, source.digest];
const toSource = (f: Field[]): DigestSource => ({ firstInstance: f[0], count: f[1], digest: f[2] });

const entryFields = (entry: AcceptedEntry) => [
  ballotFields(entry.ballot),
  entry.firstInstance,
  entry.count,
  batchFields(entry.batch),
  entry.source && sourceFields(entry.source),
];
const toEntry = (f: Field[]): AcceptedEntry => ({
  ballot: toBallot(f[0]),
  firstInstance: f[1],
  count: f[2],
  batch: toBatch(f[3]),
  source: f[4] && toSource(f[4]),
});

const batchFields = (batch: Batch) => [batch.timeMs, batch.count, batch.segments.map(segmentFields)];
const toBatch = (f: Field[]): Batch => ({ timeMs: f[0], count: f[1], segments: f[2].map(toSegment) });

/** Position in this list is a kind's number on the wire and in digests: append only. */
export const segmentKinds = ["commands", "fill", "open", "close", "noop", "keepAlive"] as const;

function segmentFields(segment: Segment): unknown[] {
  const number = segmentKinds.indexOf(segment.kind);
  switch (segment.kind) {
    case "noop":
      return [number, segment.count];
    case "open":
      return [number, 1, segment.client, segment.answerer];
    case "close":
      return [number, 1, segment.client, segment.session];
    case "keepAlive":
      return [number, 1, segment.client, segment.session, segment.answerer];
    default: {
      const { count, client, answerer, session, firstSequence, acknowledgedBelow } = segment;
      const fields: unknown[] = [number, count, client, answerer, session, firstSequence, acknowledgedBelow];
      if (segment.kind === "commands") fields.push(segment.skip, segment.bytes);
      return fields;
    }
  }
}

function toSegment(f: Field[]): Segment {
  const kind = segmentKinds[f[0] as number];
  const count = f[1];
  switch (kind) {
    case "noop":
      return { kind, count };
    case "open":
      return { kind, count: 1, client: f[2], answerer: f[3] };
    case "close":
      return { kind, count: 1, client: f[2], session: f[3] };
    case "keepAlive":
      return { kind, count: 1, client: f[2], session: f[3], answerer: f[4] };
    case "fill":
      return {
        kind,
        client: f[2],
        session: f[4],
        firstSequence: f[5],
        count,
        acknowledgedBelow: f[6],
        answerer: f[3],
      };
    case "commands":
      return {
        kind,
        client: f[2],
        session: f[4],
        firstSequence: f[5],
        count,
        acknowledgedBelow: f[6],
        answerer: f[3],
        skip: f[7],
        bytes: f[8],
      };
    default:
      throw new SynodError("ACTOR_FAILED", `a segment of unknown kind ${String(f[0])}`);
  }
}
