import { Cluster } from "@synod/runtime";
import { monotonicMs, stampsOf, watchStages, withStageTimes } from "@synod/runtime/internal";
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame } from "../dist/frame-codec.js";
import { StageTimes } from "../dist/stage-times.js";
import { type AnyMachine, machine, withCluster } from "./support.js";

const ballot = { round: 1, incarnation: 1, proposer: 0 };
const session = 7;

const segment = (firstSequence: number, count: number) =>
  ({
    kind: "commands",
    client: 1,
    session,
    firstSequence,
    count,
    skip: 0,
    acknowledgedBelow: 0,
    answerer: 0,
    bytes: new Uint8Array(),
  }) as const;
const propose = (firstSequence: number, count: number) =>
  ({ type: "propose", segments: [segment(firstSequence, count)], forwarded: false }) as const;
const batchOf = (firstSequence: number, count: number) => ({
  timeMs: 1,
  count,
  segments: [segment(firstSequence, count)],
});
const accept = (firstSequence: number, count: number) =>
  ({
    type: "accept",
    ballot,
    firstInstance: firstSequence,
    batch: batchOf(firstSequence, count),
    trimBelow: 0,
    leaseUntil: 1,
    distinguished: -1,
    source: null,
  }) as const;
const accepted = (firstSequence: number, count: number, hasValue = true) =>
  ({
    type: "accepted",
    ballot,
    firstInstance: firstSequence,
    count,
    batch: hasValue ? batchOf(firstSequence, count) : null,
    source: null,
    leaseUntil: 1,
    distinguished: -1,
  }) as const;
const response = (firstSequence: number, count: number) =>
  ({ type: "response", session, firstSequence, results: new Array(count).fill(0), appliedBelow: 1 }) as const;

describe("one client's command at a time", () => {
  test.each([
    { acceptors: 3, proposed: 110, learners: 2 },
    { acceptors: 1, proposed: 110, learners: 1 },
  ])(
    "$acceptors acceptors: its times are within the call, in order",
    async ({ acceptors, proposed, learners }) => {
      const options = withStageTimes({ stateMachine: machine, acceptors, learners, proposers: 1 });
      const cluster = await Cluster.start<AnyMachine>(options);
      try {
        const client = await cluster.connect();
        const seen: (readonly number[])[] = [];
        watchStages(client, timesMs => seen.push(timesMs));
        for (let number = 0; number < proposed; number++) {
          const before = seen.length;
          const calledMs = monotonicMs();
          await client.propose({ number });
          const answeredMs = monotonicMs();
          // What was sent again on a machine that stalls is not sampled.
          for (const timesMs of seen.slice(before)) {
            expect(timesMs).toHaveLength(stampsOf.length);
            expect([...timesMs].sort((a, b) => a - b)).toEqual(timesMs);
            expect(timesMs[0]).toBeGreaterThanOrEqual(calledMs);
            expect(timesMs.at(-1)).toBeLessThanOrEqual(answeredMs);
          }
        }
        expect(seen.length).toBeGreaterThan(0);
        expect(seen.length).toBeLessThanOrEqual(proposed / 11);
      } finally {
        await cluster.close();
      }
    },
  );
});

test("calls with many commands are timed as well", async () => {
  const cluster = await Cluster.start<AnyMachine>(withStageTimes({ stateMachine: machine, proposers: 1 }));
  try {
    const client = await cluster.connect();
    let seen = 0;
    watchStages(client, () => seen++);
    for (let call = 0; call < 22; call++)
      await client.proposeAll(Array.from({ length: 100 }, (_, n) => ({ n })));
    expect(seen).toBeGreaterThan(0);
  } finally {
    await cluster.close();
  }
});

test("a cluster that was not asked for it keeps no times", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    expect(() => watchStages(client, () => undefined)).toThrow(/was not asked for stage times/);
  });
});

test("stamps travel behind the fields of a frame, and nothing does without them", () => {
  const message = { type: "fetch", firstInstance: 3 } as const;
  const plain = Uint8Array.from(encodeFrame(message));
  const stamped = Uint8Array.from(encodeFrame(message, [session, 0, 1.5, 2.5]));
  expect(decodeFrame(stamped)).toEqual({
    message,
    depth: undefined,
    stamps: [session, 0, 1.5, 2.5],
  });
  expect(decodeFrame(plain)).toEqual({ message, depth: undefined, stamps: undefined });
  expect(stamped.length).toBeGreaterThan(plain.length);
});

test("the first command that was called of each batch is timed, and none of a batch that began before", () => {
  const client = new StageTimes(2, 1);
  client.called(0);
  client.called(1);
  client.numbered(10, 2);
  expect(client.sent(propose(10, 2))?.slice(0, 2)).toEqual([session, 10]);
  expect(client.sent(propose(10, 2)), "sent again").toBeUndefined();
  // Five wait, of which two were called before: the third is the first that is timed.
  client.called(2);
  client.numbered(12, 2);
  expect(client.sent(propose(12, 2)), "called before").toBeUndefined();
  client.numbered(14, 3);
  expect(client.sent(propose(14, 3))?.slice(0, 2)).toEqual([session, 14]);
});

test("a proposer joins batches: one sample of each goes on, the others go no further", () => {
  const proposer = new StageTimes(2);
  proposer.received(propose(0, 2), [session, 0, 1, 2], 3);
  proposer.received(propose(2, 2), [session, 2, 1, 2], 4);
  proposer.received(propose(4, 2), [session, 4, 1, 2], 5);
  const stamps = proposer.sent(accept(0, 4));
  expect(stamps?.slice(0, 5)).toEqual([session, 0, 1, 2, 3]);
  expect(stamps).toHaveLength(6);
  expect(proposer.sent(accept(0, 4)), "sent again").toBeUndefined();
  expect(proposer.sent(accept(4, 2))?.slice(0, 2)).toEqual([session, 4]);
});

test("a learner takes the vote that completes the quorum; the leader is told no times", () => {
  const acceptor = new StageTimes(2);
  acceptor.received(accept(0, 2), [session, 0, 1, 2, 3, 4], 5);
  expect(acceptor.sent(accepted(0, 2, false))).toBeUndefined();
  const vote = acceptor.sent(accepted(0, 2));
  expect(vote?.slice(0, 7)).toEqual([session, 0, 1, 2, 3, 4, 5]);
  const learner = new StageTimes(2);
  const stampsAt = (sentMs: number) => [session, 0, 1, 2, 3, 4, 5, sentMs];
  learner.received(accepted(0, 2), stampsAt(6), 7);
  expect(learner.sent(response(0, 2)), "one vote").toBeUndefined();
  learner.received(accepted(0, 2), stampsAt(8), 9);
  learner.received(accepted(0, 2), stampsAt(10), 11);
  expect(learner.sent(response(0, 2))?.slice(6, 9)).toEqual([5, 8, 9]);
  expect(learner.sent(response(0, 2)), "sent again").toBeUndefined();
});

test("a client has one batch of so many timed", () => {
  const client = new StageTimes(2, 3);
  const timed = Array.from({ length: 9 }, (_, sequence) => {
    client.called(0);
    client.numbered(sequence, 1);
    return client.sent(propose(sequence, 1)) !== undefined;
  });
  expect(timed).toEqual([true, false, false, true, false, false, true, false, false]);
});
