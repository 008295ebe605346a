import {
  type AcceptMessage,
  type Ballot,
  Client,
  type HeartbeatMessage,
  Learner,
  type Message,
  type PrepareMessage,
  Proposer,
  ThresholdQuorums,
} from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ballotOf, commandSegment, commands } from "./support.js";

const topology = { proposers: 3, acceptors: 3, learners: 2 };
const quorums = new ThresholdQuorums(3);

/** What happens to a role, as numbers that each role makes something of. */
const step = fc.record({ waitMs: fc.nat(60), what: fc.nat(11), which: fc.nat(20), more: fc.nat(200) });
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const steps = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });

interface Timed {
  readonly deadline: number;
  tick(now: number): void;
}

/**
 * Does what a host does in one turn after it has taken its messages. A deadline that is not in the future afterwards
 * would make the host turn round and round.
 */
function turn(role: Timed, now: number, takeReady: () => void): void {
  if (now >= role.deadline) role.tick(now);
  takeReady();
  expect(role.deadline).toBeGreaterThan(now);
}

type Asked = PrepareMessage | AcceptMessage | HeartbeatMessage;

/** What an acceptor says when it agrees to everything. */
function agree(asked: Asked): Message {
  const { ballot } = asked;
  switch (asked.type) {
    case "prepare": {
      const { firstInstance } = asked;
      return { type: "promise", ballot, firstInstance, trimmedBelow: 0, accepted: [], continuesAt: -1 };
    }
    case "accept": {
      const { firstInstance, batch, leaseUntil, distinguished, source } = asked;
      const told = { batch: null, source, leaseUntil, distinguished };
      return { type: "accepted", ballot, firstInstance, count: batch.count, ...told };
    }
    case "heartbeat":
      return { type: "granted", ballot, leaseUntil: asked.leaseUntil, round: asked.round };
  }
}

function isAsked(message: Message): message is Asked {
  return message.type === "prepare" || message.type === "accept" || message.type === "heartbeat";
}

/** One thing that may happen to a proposer; what it has asked acceptors is answered now and then. */
function disturb(role: Proposer, asked: readonly Asked[], { what, which, more }: Step, now: number): void {
  const acceptor = `acceptor-${which % 3}`;
  const other = ballotOf(1 + (which % 4), 1 + (which % 2));
  switch (what) {
    case 0:
      return role.campaign(now);
    case 1: {
      const segments = [commandSegment(1, 1 + (which % 6))];
      return role.receive("client-1", { type: "propose", segments, forwarded: more % 2 === 0 }, now);
    }
    case 2: {
      const refused = { type: "refuse", ballot: role.ballot, promised: other, full: false } as const;
      const leaseUntil = more % 2 === 0 ? 0 : now + (more % 50);
      return role.receive(acceptor, { ...refused, trimmedBelow: which % 3, leaseUntil }, now);
    }
    case 3: {
      const leader = {
        type: "heartbeat",
        ballot: other,
        round: 1,
        chosenBelow: 0,
        distinguished: -1,
      } as const;
      return role.receive(`proposer-${other.proposer}`, { ...leader, leaseUntil: now + more - 50 }, now);
    }
    case 4:
      return role.receive("client-1", { type: "read", id: which }, now);
    case 5: {
      const progress = {
        type: "progress",
        appliedBelow: more % 5,
        stuck: which % 5 === 0,
        trimBelow: more % 3,
        pinnedAt: (more % 4) - 1,
      } as const;
      return role.receive(`learner-${which % 2}`, progress, now);
    }
    case 6:
      return void role.transferLeadership(which % 3, now);
    case 7:
      return role.receive(`proposer-${other.proposer}`, { type: "release", ballot: other }, now);
    default: {
      const answered = asked.at(-1 - (which % 4));
      if (answered === undefined) return;
      for (const from of ["acceptor-0", acceptor, "acceptor-2"]) role.receive(from, agree(answered), now);
    }
  }
}

describe("the deadline lies in the future after every turn", () => {
  it("of a proposer", () => {
    const options = fc.record({
      mode: fc.constantFrom("basic" as const, "multi" as const),
      batch: fc.record({
        commandsMax: fc.constantFrom(1, 16),
        bytesMax: fc.constantFrom(2, 1000),
        lingerMs: fc.constantFrom(0, 7, 30),
        adaptive: fc.boolean(),
      }),
      pipeline: fc.record({ batchesMax: fc.constantFrom(1, 8) }),
      leaseMs: fc.constantFrom(0, 40),
      tellsOne: fc.boolean(),
      chance: fc.constantFrom(0, 0.7),
    });
    // Mostly what happens to a leader, so that it leads long enough to have work under way.
    const often = fc.constantFrom(1, 1, 1, 4, 5, 8, 9);
    const disturbance = fc.oneof({ weight: 9, arbitrary: often }, { weight: 1, arbitrary: fc.nat(11) });
    const events = fc.array(fc.tuple(step, disturbance), { minLength: 1, maxLength: 60, size: "max" });
    fc.assert(
      fc.property(options, events, ({ chance, tellsOne, ...chosen }, all) => {
        // Only heartbeats replace a distinguished learner.
        const distinguishedLearner = tellsOne && chosen.leaseMs > 0;
        const fixed = { topology, quorums, index: 0, incarnation: 1, retransmitMs: 30 };
        const role = new Proposer({ ...fixed, ...chosen, distinguishedLearner, random: () => chance });
        const asked: Asked[] = [];
        let now = 0;
        role.start(now);
        role.campaign(now);
        for (const [one, what] of all) {
          now += one.waitMs % 20;
          disturb(role, asked, { ...one, what }, now);
          turn(role, now, () => {
            asked.push(
              ...role
                .takeReady(now)
                .send.map(({ message }) => message)
                .filter(isAsked),
            );
          });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("of a client", () => {
    fc.assert(
      fc.property(steps, all => {
        const timing = { leaseMs: 60, retryAfterMs: 20, retryAfterMsMax: 100, keepAliveMs: 70 };
        const batch = { commandsMax: 4, adaptive: true };
        const role = new Client({ topology, client: 1, windowCommandsMax: 8, answerer: 0, batch, ...timing });
        let now = 0;
        role.open(now);
        for (const one of all) {
          now += one.waitMs;
          use(role, one, now);
          turn(role, now, () => void role.takeReady());
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("of a learner", () => {
    fc.assert(
      fc.property(steps, all => {
        const role = new Learner({ topology, quorums, index: 0, fetchAfterMs: 20 });
        let now = 0;
        for (const one of all) {
          now += one.waitMs;
          const { from, message } = tell(one);
          role.receive(from, message, now);
          turn(role, now, () => void role.takeReady());
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** One thing that its caller or another actor does to a client. */
function use(role: Client, { what, which, more }: Step, now: number): void {
  const ballot: Ballot = ballotOf(1 + (which % 3), which % 3);
  const learner = `learner-${which % 2}`;
  switch (what) {
    case 0:
    case 1: {
      const count = Math.min(role.room, 1 + (which % 3));
      if (count > 0) role.submit(new Uint8Array(1), new Array<number>(count).fill(now + more), now);
      return;
    }
    case 2:
      return void role.abandon(1 + (which % 9));
    case 3: {
      const consistency = which % 2 === 0 ? "linearizable" : "sequential";
      return void role.read(new Uint8Array(1), consistency, now + more, now);
    }
    case 4:
      return role.receive(learner, { type: "sessionOpened", session: which % 2 }, now);
    case 5: {
      const about = { session: which % 2, firstSequence: 1 + (more % 9), appliedBelow: more };
      return role.receive(learner, { type: "response", results: ["r", "s"], ...about }, now);
    }
    case 6: {
      const pointer = { leader: (more % 4) - 1, forwarded: which % 2 === 0 };
      return role.receive(`proposer-${more % 3}`, { type: "notLeader", ballot, ...pointer }, now);
    }
    case 7:
      return role.receive(learner, { type: "sequenceGap", session: which % 2, expected: 1, ballot }, now);
    case 8:
      return role.receive(
        `proposer-${more % 3}`,
        { type: "readReady", id: which, ballot, readBelow: more, storageFull: false },
        now,
      );
    case 9: {
      const answer = { type: "answer", id: 1 + (which % 5), result: 1, appliedBelow: more } as const;
      return role.receive(learner, answer, now);
    }
    case 10:
      if (more % 10 === 0) role.receive(learner, { type: "sessionExpired", session: which % 2 }, now);
      return;
    default:
      if (more % 10 === 0) role.close();
  }
}

/** Something that a learner may be told, and by whom. */
function tell({ what, which, more }: Step): { from: string; message: Message } {
  const ballot = ballotOf(1 + (which % 2));
  const firstInstance = more % 12;
  const count = 1 + (which % 3);
  const values = { ballot, firstInstance, count, batch: commands(1, count) };
  switch (what % 4) {
    case 0: {
      const leader = { leaseUntil: 0, round: 1, chosenBelow: more % 15, distinguished: (which % 3) - 1 };
      return { from: "proposer-1", message: { type: "heartbeat", ballot, ...leader } };
    }
    case 1:
      return { from: "learner-1", message: { type: "chosen", ...values } };
    case 2:
      return { from: "acceptor-1", message: { type: "trimmed", trimmedBelow: more % 12 } };
    default: {
      const told = { source: null, leaseUntil: 0, distinguished: -1 };
      return { from: `acceptor-${which % 3}`, message: { type: "accepted", ...values, ...told } };
    }
  }
}
