import { ApplyFailure, type Batch, type Message } from "@synod/core";
import { decodeFrame, encodeFrame, messageTypes } from "@synod/runtime/internal";
import { describe, expect, test } from "vitest";

/** Every message type, with this number wherever an instance or a sequence number stands. */
function messages(n: number): Message[] {
  const ballot = { round: n, incarnation: 3, proposer: 1 };
  const bytes = Buffer.from([1, 2, 3]);
  const common = { client: 7, session: n, firstSequence: n + 1, acknowledgedBelow: n, answerer: 1 };
  const batch: Batch = {
    timeMs: 1_800_000_000_000,
    count: 9,
    segments: [
      { kind: "commands", ...common, count: 2, skip: 1, bytes },
      { kind: "fill", ...common, count: 3 },
      { kind: "open", client: 7, count: 1, answerer: 0 },
      { kind: "close", client: 7, count: 1, session: n },
      { kind: "keepAlive", client: 7, count: 1, session: n, answerer: 2 },
      { kind: "noop", count: 1 },
    ],
  };
  const source = { firstInstance: n, count: 12, digest: 2 ** 32 - 1 };
  const entry = { ballot, firstInstance: n, count: 9, batch, source: null };
  const leaseUntil = n + 0.25;
  const none = { round: 0, incarnation: 0, proposer: -1 };
  return [
    { type: "propose", segments: batch.segments, forwarded: false },
    { type: "propose", segments: [], forwarded: true },
    { type: "notLeader", ballot: none, leader: -1, forwarded: false },
    { type: "notLeader", ballot, leader: 1, forwarded: true },
    { type: "prepare", ballot, firstInstance: n, released: null },
    { type: "prepare", ballot, firstInstance: n, released: ballot },
    {
      type: "promise",
      ballot,
      firstInstance: n,
      trimmedBelow: n,
      accepted: [entry, { ...entry, source }],
      continuesAt: n + 9,
    },
    { type: "promise", ballot, firstInstance: n, trimmedBelow: 0, accepted: [], continuesAt: -1 },
    { type: "refuse", ballot, promised: ballot, trimmedBelow: n, leaseUntil, full: false },
    { type: "refuse", ballot, promised: ballot, trimmedBelow: n, leaseUntil: 0, full: true },
    {
      type: "accept",
      ballot,
      firstInstance: n,
      batch,
      trimBelow: n,
      leaseUntil,
      distinguished: -1,
      source: null,
    },
    {
      type: "accept",
      ballot,
      firstInstance: n,
      batch,
      trimBelow: n,
      leaseUntil: 0,
      distinguished: 1,
      source,
    },
    {
      type: "accepted",
      ballot,
      firstInstance: n,
      count: 9,
      batch,
      source: null,
      leaseUntil: 0,
      distinguished: -1,
    },
    {
      type: "accepted",
      ballot,
      firstInstance: n,
      count: 9,
      batch: null,
      source,
      leaseUntil,
      distinguished: 1,
    },
    { type: "chosen", ballot, firstInstance: n, count: 9, batch },
    { type: "heartbeat", ballot, leaseUntil, round: n, chosenBelow: n, distinguished: -1 },
    { type: "granted", ballot, leaseUntil, round: n },
    { type: "release", ballot },
    { type: "read", id: n },
    { type: "readReady", id: n, ballot, readBelow: n, storageFull: true },
    { type: "fetch", firstInstance: n },
    { type: "trimmed", trimmedBelow: n },
    { type: "progress", appliedBelow: n, stuck: false, trimBelow: n, pinnedAt: -1 },
    { type: "progress", appliedBelow: n, stuck: true, trimBelow: 0, pinnedAt: n },
    { type: "sample", appliedBelow: n, samples: [] },
    {
      type: "sample",
      appliedBelow: n,
      samples: [
        [n, 0],
        [n + 32, 2 ** 32 - 1],
      ],
    },
    { type: "standIn", on: true },
    { type: "standIn", on: false },
    { type: "follow", appliedBelow: 2 ** 40, feed: true },
    { type: "follow", appliedBelow: 0, feed: false },
    { type: "followed", chosenBelow: 2 ** 40 },
    { type: "response", session: n, firstSequence: n, results: [1, undefined, { a: [n] }], appliedBelow: n },
    {
      type: "response",
      session: n,
      firstSequence: n,
      results: [new ApplyFailure("first"), null, new ApplyFailure("")],
      appliedBelow: n,
    },
    { type: "response", session: n, firstSequence: n, results: [], appliedBelow: n },
    { type: "sessionOpened", session: n },
    { type: "sessionExpired", session: n },
    { type: "sequenceGap", session: n, expected: n, ballot },
    { type: "query", id: n, appliedBelow: n, bytes },
    { type: "answer", id: n, result: "text", appliedBelow: n },
    { type: "answer", id: n, result: undefined, appliedBelow: n },
    { type: "answer", id: n, result: new ApplyFailure("no"), appliedBelow: n },
  ];
}

describe.each([0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 1, 2 ** 52])(
  "numbers around %i",
  n => {
    test.each(messages(n).map((message, at) => [at, message.type, message] as const))(
      "%i %s",
      (_, __, message) => {
        for (const depth of [undefined, 0, 5]) {
          const frame = encodeFrame(message, depth).slice();
          const decoded = decodeFrame(Buffer.from(frame));
          expect(decoded.message).toEqual(message);
          expect(decoded.depth).toBe(depth);
        }
      },
    );
  },
);

test("every type is covered, and an unknown one is refused", () => {
  expect(new Set(messages(1).map(({ type }) => type))).toEqual(new Set(messageTypes));
  expect(() => decodeFrame(Uint8Array.of(0x91, 99))).toThrow(/unknown type/);
});
