import {
  type AcceptedMessage,
  type AcceptMessage,
  type Batch,
  Learner,
  limits,
  type Message,
  ThresholdQuorums,
} from "@synod/core";
import { describe, expect, it } from "vitest";
import { ballotOf, commands, sequencesOf } from "./support.js";

const fetchAfterMs = 50;
const base = 1000;

/** Stands for a batch by its first sequence number. */
const digest = (batch: Batch) => sequencesOf(batch)[0] as number;

function learner({ index = 0, digests = false } = {}): Learner {
  return new Learner(
    {
      topology: { proposers: 2, acceptors: 3, learners: 3 },
      quorums: new ThresholdQuorums(3),
      index,
      fetchAfterMs,
      ...(digests ? { digest } : {}),
    },
    base,
  );
}

/** What an acceptor tells of two instances from `base` on. */
function accepted(round: number, more: Partial<AcceptedMessage> = {}): AcceptedMessage {
  return {
    type: "accepted",
    ballot: ballotOf(round),
    firstInstance: base,
    count: 2,
    batch: commands(1, 2),
    source: null,
    leaseUntil: 0,
    distinguished: -1,
    ...more,
  };
}

const source = { firstInstance: base, count: 2, digest: 1 };

/** A vote with a digest in place of the value, which is the leader's to tell. */
const vote = (round: number) => accepted(round, { batch: null, source });

function value(round: number, batch = commands(1, 2)): AcceptMessage {
  const lease = { trimBelow: 0, leaseUntil: 0, distinguished: -1 };
  return { type: "accept", ballot: ballotOf(round), firstInstance: base, batch, source, ...lease };
}

function heartbeat(round: number, chosenBelow: number, distinguished = -1): Message {
  return { type: "heartbeat", ballot: ballotOf(round), leaseUntil: 0, round: 1, chosenBelow, distinguished };
}

/** The sequence numbers that are handed on. */
function learned(role: Learner): number[] {
  return role.takeReady().chosen.flatMap(({ batch }) => sequencesOf(batch));
}

/** What is sent, one line each. */
function sent(role: Learner): string[] {
  return role.takeReady().send.map(({ to, message }) => `${to.join()} ${message.type}`);
}

const everyAcceptor = "acceptor-0,acceptor-1,acceptor-2";
const everyProposer = "proposer-0,proposer-1";

describe("a learner with digests", () => {
  it("learns from votes and the leader's value, in whatever order they come", () => {
    const messages: [string, Message][] = [
      ["proposer-1", value(1)],
      ["acceptor-0", vote(1)],
      ["acceptor-2", vote(1)],
    ];
    for (const [first, second, third] of [
      [0, 1, 2],
      [1, 0, 2],
      [1, 2, 0],
    ] as const) {
      const role = learner({ digests: true });
      for (const at of [first, second]) role.receive(...(messages[at] as [string, Message]), 0);
      expect(learned(role)).toEqual([]);
      role.receive(...(messages[third] as [string, Message]), 0);
      expect(learned(role)).toEqual([1, 2]);
      expect(role.chosenBelow).toBe(base + 2);
    }
  });

  it("takes the leader's value for nobody's vote", () => {
    const role = learner({ digests: true });
    role.receive("proposer-1", value(1), 0);
    role.receive("proposer-1", value(1), 0);
    role.receive("acceptor-0", vote(1), 0);
    expect(learned(role)).toEqual([]);
  });

  it("reports a value that is not what its digest says once, and fetches the right one", () => {
    const role = learner({ digests: true });
    role.receive("proposer-1", value(1, commands(9, 2)), 0);
    role.receive("acceptor-0", vote(1), 0);
    role.receive("acceptor-1", vote(1), 0);
    const mismatch = { ballot: ballotOf(1), firstInstance: base, count: 2, expected: 1, found: 9 };
    expect(role.takeReady()).toMatchObject({ chosen: [], mismatches: [mismatch] });
    expect(role.takeReady().mismatches).toEqual([]);
    role.tick(role.deadline);
    expect(sent(role)).toEqual([`${everyAcceptor} fetch`]);
    role.receive("acceptor-1", accepted(1, { source }), 60);
    expect(learned(role)).toEqual([1, 2]);
  });

  it("compares only a whole source batch with its digest", () => {
    const role = learner({ digests: true });
    const part = { firstInstance: base, count: 1, batch: commands(5, 1) };
    const longer = { firstInstance: base - 1, count: 2, digest: 4 };
    role.receive("acceptor-0", accepted(1, { ...part, source: longer }), 0);
    role.receive("acceptor-1", accepted(1, { ...part, source: longer }), 0);
    expect(role.takeReady()).toMatchObject({ mismatches: [], chosen: [{ count: 1 }] });
  });

  it("uses what was accepted above the ballot that chose it, never what was accepted below", () => {
    const role = learner({ digests: true });
    role.receive("acceptor-0", vote(2), 0);
    role.receive("acceptor-1", vote(2), 0);
    role.receive("acceptor-2", accepted(1, { batch: commands(1, 2), source: null }), 0);
    expect(learned(role)).toEqual([]);
    role.receive("acceptor-2", accepted(3, { source: null }), 0);
    const { chosen } = role.takeReady();
    expect(chosen).toMatchObject([{ ballot: ballotOf(2), firstInstance: base, count: 2 }]);
  });
});

describe("a learner", () => {
  it("never adds up votes of two ballots", () => {
    const role = learner();
    role.receive("acceptor-0", accepted(1), 0);
    role.receive("acceptor-1", accepted(2), 0);
    role.receive("acceptor-1", accepted(2), 0);
    expect(learned(role)).toEqual([]);
    role.receive("acceptor-1", accepted(1), 0);
    expect(learned(role)).toEqual([1, 2]);
  });

  it("asks for the end of the log that only a heartbeat tells of", () => {
    const role = learner();
    role.receive("proposer-1", heartbeat(1, base), 0);
    expect(role.deadline).toBe(Number.POSITIVE_INFINITY);
    role.receive("proposer-1", heartbeat(1, base + 2), 0);
    expect(role.deadline).toBe(fetchAfterMs);
    role.tick(fetchAfterMs);
    expect(sent(role)).toEqual([`${everyAcceptor} fetch`]);
  });

  it("waits for answers from when it asks until it has learned what it knew to be missing", () => {
    const role = learner();
    expect(role.isFetching).toBe(false);
    for (const acceptor of ["acceptor-0", "acceptor-1"]) role.receive(acceptor, accepted(1), 0);
    role.receive("proposer-1", heartbeat(1, base + 4), 0);
    expect(role.isFetching, "it has not asked yet").toBe(false);
    role.tick(fetchAfterMs);
    expect(role.isFetching).toBe(true);
    for (const [at, isFetching] of [
      [base + 2, true],
      [base + 3, false],
    ] as const) {
      const next = accepted(1, { firstInstance: at, count: 1, batch: commands(at - base + 1, 1) });
      for (const acceptor of ["acceptor-0", "acceptor-1"]) role.receive(acceptor, next, fetchAfterMs);
      expect(role.isFetching).toBe(isFetching);
    }
  });

  it("asks ever more rarely, and says at last that it is stuck", () => {
    const role = learner();
    role.receive("proposer-1", heartbeat(1, base + 2), 0);
    const waits: number[] = [];
    let now = 0;
    for (let asked = 0; asked <= limits.fetchesInVainMax; asked++) {
      waits.push(role.deadline - now);
      now = role.deadline;
      role.tick(now);
      const stuck = asked < limits.fetchesInVainMax ? [] : [`${everyProposer} progress`];
      expect(sent(role)).toEqual([`${everyAcceptor} fetch`, ...stuck]);
    }
    expect(waits).toEqual([50, 50, 100, 200, 400]);
  });

  it("learns only the part that it misses of what begins below what it has learned", () => {
    const role = learner();
    for (const from of ["acceptor-0", "acceptor-1"]) role.receive(from, accepted(1), 0);
    expect(learned(role)).toEqual([1, 2]);
    const longer = accepted(2, { count: 5, batch: commands(1, 5) });
    for (const from of ["acceptor-0", "acceptor-1"]) role.receive(from, longer, 0);
    const { chosen } = role.takeReady();
    expect(chosen).toMatchObject([{ ballot: ballotOf(2), firstInstance: base + 2, count: 3 }]);
    expect(chosen.flatMap(({ batch }) => sequencesOf(batch))).toEqual([3, 4, 5]);
    expect(role.chosenBelow).toBe(base + 5);
    const told = { firstInstance: base + 3, count: 4, batch: commands(4, 4) };
    role.receive("learner-1", { type: "chosen", ballot: ballotOf(3), ...told }, 0);
    expect(learned(role)).toEqual([6, 7]);
  });

  it("asks again soon while it catches up, and as rarely as ever when it has caught up", () => {
    const role = learner();
    let now = 0;
    const waitsToAsk = () => {
      const since = now;
      for (;;) {
        now = role.deadline;
        role.tick(now);
        // Between its questions it reports what it has learned.
        if (sent(role).includes(`${everyAcceptor} fetch`)) return now - since;
      }
    };
    const tell = (firstInstance: number) => {
      for (const from of ["acceptor-0", "acceptor-1"])
        role.receive(from, accepted(1, { firstInstance }), now);
    };
    role.receive("proposer-1", heartbeat(1, base + 6), now);
    expect(waitsToAsk()).toBe(fetchAfterMs);
    tell(base);
    expect(waitsToAsk()).toBe(fetchAfterMs / limits.fetchesCatchingUp);
    tell(base + 2);
    expect(waitsToAsk()).toBe(fetchAfterMs / limits.fetchesCatchingUp);
    // Now nothing comes: it does not ask for ever at that pace.
    const waits = Array.from({ length: 7 }, waitsToAsk);
    expect(waits).toEqual([1, 2, 4, 8, 16, 16, 16].map(times => times * fetchAfterMs));
    tell(base + 4);
    role.receive("proposer-1", heartbeat(1, base + 8), now);
    expect(waitsToAsk()).toBe(fetchAfterMs);
  });

  it("is not stuck when what it misses is gone: it needs a snapshot", () => {
    const role = learner();
    role.receive("proposer-1", heartbeat(1, base + 2), 0);
    role.receive("acceptor-0", { type: "trimmed", trimmedBelow: base + 1 }, 0);
    expect(role.trimmedBelow).toBe(base + 1);
    for (let asked = 0; asked < 2 * limits.fetchesInVainMax; asked++) {
      role.tick(role.deadline);
      expect(sent(role)).toEqual([`${everyAcceptor} fetch`]);
    }
  });

  it("reports its progress after a while", () => {
    const role = learner();
    for (const from of ["acceptor-0", "acceptor-1"]) role.receive(from, accepted(1), 0);
    expect(role.deadline).toBe(limits.progressIntervalMs);
    role.tick(role.deadline);
    expect(role.takeReady().send).toEqual([
      {
        to: everyProposer.split(","),
        message: { type: "progress", appliedBelow: base + 2, stuck: false, trimBelow: 0, pinnedAt: -1 },
      },
    ]);
    expect(role.deadline).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a distinguished learner", () => {
  it("tells the others what it was told as the distinguished one", () => {
    for (const [distinguished, told] of [
      [1, ["learner-0,learner-2 chosen"]],
      [0, []],
      [-1, []],
    ] as const) {
      const role = learner({ index: 1 });
      for (const from of ["acceptor-0", "acceptor-1"]) role.receive(from, accepted(1, { distinguished }), 0);
      expect(sent(role)).toEqual(told);
    }
  });

  it("asks at once for what the acceptors have told its predecessor", () => {
    const role = learner({ index: 1 });
    role.receive("proposer-1", heartbeat(2, base, 1), 0);
    expect(sent(role)).toEqual([`${everyAcceptor} fetch`]);
    role.receive("proposer-1", heartbeat(2, base, 1), 10);
    role.receive("proposer-0", heartbeat(1, base, 0), 20);
    role.receive("proposer-1", heartbeat(2, base, 1), 30);
    expect(sent(role)).toEqual([]);
    role.receive("proposer-1", heartbeat(2, base, 0), 40);
    role.receive("proposer-1", heartbeat(2, base, 1), 50);
    expect(sent(role)).toEqual([`${everyAcceptor} fetch`]);
  });

  it("is believed, also across a gap", () => {
    const role = learner({ index: 2 });
    const chosen = (firstInstance: number, first: number): Message => {
      return { type: "chosen", ballot: ballotOf(1), firstInstance, count: 2, batch: commands(first, 2) };
    };
    role.receive("learner-1", chosen(base + 2, 3), 0);
    expect(learned(role)).toEqual([]);
    expect(role.deadline).toBe(fetchAfterMs);
    role.receive("learner-1", chosen(base, 1), 0);
    expect(learned(role)).toEqual([1, 2, 3, 4]);
    role.receive("learner-1", chosen(base, 1), 0);
    expect(sent(role)).toEqual([]);
  });

  it("does not hand on any more what a snapshot holds, also what was ready before", () => {
    const tested = learner();
    for (const acceptor of ["acceptor-0", "acceptor-1"]) {
      tested.receive(acceptor, accepted(1, { count: 6, batch: commands(1, 6) }), 0);
    }
    tested.restored(base + 4, 0);
    tested.restored(base + 2, 0);
    const [left, ...more] = tested.takeReady().chosen;
    expect(more).toEqual([]);
    expect(left).toMatchObject({ firstInstance: base + 4, count: 2 });
    expect(left && sequencesOf(left.batch)).toEqual([5, 6]);
    expect(tested.chosenBelow).toBe(base + 6);
  });
});
