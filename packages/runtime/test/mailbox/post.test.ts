import type { AcceptedMessage, Batch, Message, Segment } from "@synod/core";
import { describe, expect, test } from "vitest";
import { type Outbox, routine } from "../../src/mailbox/index.js";
import { Post } from "../../src/post.js";

const receivers = ["proposer-0", "acceptor-0", "learner-0", "learner-1", "client-1"];

/** What each receiver is sent a message as: a kind of routine, or `routine.none`. */
function kindsOf(message: Message): Record<string, number | undefined> {
  const kinds: Record<string, number | undefined> = {};
  const post = new Post({});
  for (const name of receivers) {
    const outbox: Outbox = {
      send: (_frame, _lane, kind) => {
        kinds[name] = kind;
        return true;
      },
      flush: () => true,
      close: () => undefined,
    };
    post.add(name, outbox);
  }
  post.send([{ to: receivers, message }]);
  expect(post.flush()).toBe(true);
  return kinds;
}

const ballot = { round: 1, incarnation: 1, proposer: 0 };
const session = { client: 1, session: 0, acknowledgedBelow: 0, firstSequence: 1 };
const commands = (answerer: number): Segment => ({
  kind: "commands",
  ...session,
  count: 2,
  skip: 0,
  answerer,
  bytes: new Uint8Array(3),
});
const batchOf = (...segments: Segment[]): Batch => ({ timeMs: 1, count: 2 * segments.length, segments });

function accepted(batch: Batch | null, distinguished = -1): AcceptedMessage {
  const range = { firstInstance: 0, count: batch?.count ?? 1 };
  return { type: "accepted", ballot, ...range, batch, source: null, leaseUntil: 0, distinguished };
}

describe("who is woken for an Accepted", () => {
  test("the learners that answer its clients, and the leader only if it wants to know", () => {
    const { vote, silent, none } = routine;
    expect(kindsOf(accepted(batchOf(commands(1))))).toMatchObject({
      "proposer-0": vote,
      "learner-0": silent,
      "learner-1": none,
    });
    expect(kindsOf(accepted(batchOf(commands(1), commands(0))))).toMatchObject({
      "learner-0": none,
      "learner-1": none,
    });
  });

  test("a learner that opens a session, or keeps it", () => {
    for (const segment of [
      { kind: "open", client: 1, count: 1, answerer: 0 },
      { kind: "keepAlive", client: 1, session: 0, count: 1, answerer: 0 },
      { kind: "fill", ...session, count: 1, answerer: 0 },
    ] as const) {
      expect(kindsOf(accepted(batchOf(segment)))).toMatchObject({
        "learner-0": routine.none,
        "learner-1": routine.silent,
      });
    }
    const nobody = accepted(batchOf({ kind: "close", client: 1, session: 0, count: 1 }));
    expect(kindsOf(nobody)).toMatchObject({ "learner-0": routine.silent, "learner-1": routine.silent });
  });

  test("every learner that is told without the values, or tells others", () => {
    expect(kindsOf(accepted(null))).toMatchObject({ "learner-0": routine.none, "learner-1": routine.none });
    expect(kindsOf(accepted(batchOf(commands(1)), 0))).toMatchObject({ "learner-0": routine.none });
  });

  test("whatever else is said wakes its receiver, but for heartbeats and their answers", () => {
    const granted: Message = { type: "granted", ballot, leaseUntil: 5, round: 1 };
    const followed: Message = { type: "followed", chosenBelow: 1 };
    for (const name of receivers) {
      expect(kindsOf(granted)[name]).toBe(routine.granted);
      expect(kindsOf(followed)[name]).toBe(routine.none);
    }
  });
});
