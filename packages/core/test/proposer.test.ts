import {
  type AcceptedEntry,
  type Ballot,
  formatBallot,
  noBallot,
  type PromiseMessage,
  Proposer,
  type Segment,
  ThresholdQuorums,
} from "@synod/core";
import { describe, expect, it } from "vitest";
import { commands, entryOf as entry } from "./support.js";

const base = 2 ** 32 - 3;

function proposer(mode: "basic" | "multi" = "multi", batchesMax = 8): Proposer {
  return new Proposer({
    topology: { proposers: 2, acceptors: 3, learners: 1 },
    quorums: new ThresholdQuorums(3),
    index: 0,
    incarnation: 1,
    mode,
    batch: { commandsMax: 4, bytesMax: 1000, lingerMs: 0, adaptive: false },
    pipeline: { batchesMax },
    retransmitMs: 100,
    leaseMs: 0,
    distinguishedLearner: false,
    random: () => 0,
  });
}

function propose(role: Proposer, segments: readonly Segment[]): void {
  role.receive("client-1", { type: "propose", segments, forwarded: false }, 0);
}

const old = (round: number): Ballot => ({ round, incarnation: 1, proposer: 1 });

function promise(ballot: Ballot, accepted: readonly AcceptedEntry[], more: Partial<PromiseMessage> = {}) {
  const whole = { firstInstance: 0, trimmedBelow: base, continuesAt: -1 };
  return { type: "promise", ballot, accepted, ...whole, ...more } as const;
}

/** What an acceptor tells the leader with Accepted besides its ballot and instances. */
const told = { batch: null, source: null, leaseUntil: 0, distinguished: -1 } as const;

function describeSegment(segment: Segment): string {
  if (segment.kind !== "commands") return `${segment.kind}+${segment.count}`;
  return `commands ${segment.firstSequence}+${segment.count} skip ${segment.skip}`;
}

/** What was sent, one line each, with instances counted from `base`. */
function sent(role: Proposer, now = 0): string[] {
  return role.takeReady(now).send.map(({ message }) => {
    if (message.type === "prepare") return `prepare ${formatBallot(message.ballot)}`;
    if (message.type === "notLeader") {
      const handedOn = message.forwarded ? ", handed on" : "";
      return `notLeader ${formatBallot(message.ballot)}: ${message.leader}${handedOn}`;
    }
    if (message.type === "propose") {
      return `propose ${message.segments.map(describeSegment).join(" ")}${message.forwarded ? ", forwarded" : ""}`;
    }
    if (message.type !== "accept") return message.type;
    const segments = message.batch.segments.map(describeSegment);
    return `accept ${formatBallot(message.ballot)} ${message.firstInstance - base}: ${segments.join(" ")}`;
  });
}

/** Campaigns and has these two acceptors answer. */
function lead(role: Proposer, first: readonly AcceptedEntry[], second: readonly AcceptedEntry[]): string[] {
  role.campaign(0);
  expect(sent(role)).toEqual([`prepare ${formatBallot(role.ballot)}`]);
  role.receive("acceptor-0", promise(role.ballot, first), 0);
  expect(role.state).toBe("preparing");
  role.receive("acceptor-2", promise(role.ballot, second), 0);
  expect(role.state).toBe("leading");
  return sent(role);
}

describe("Proposer", () => {
  it("takes the value of the highest ballot, instance by instance", () => {
    const lines = lead(
      proposer(),
      [entry(old(1), base, commands(1, 4))],
      [entry(noBallot, base + 1, commands(50, 1)), entry(old(2), base + 2, commands(80, 3))],
    );
    expect(lines).toEqual([
      "accept 1.1.0 0: commands 1+1 skip 0",
      "accept 1.1.0 1: commands 2+1 skip 1",
      "accept 1.1.0 2: commands 80+2 skip 0",
      "accept 1.1.0 4: commands 82+1 skip 2",
    ]);
  });

  it("fills holes, and proposes new commands only behind everything found", () => {
    const role = proposer();
    role.campaign(0);
    propose(role, commands(7, 1).segments);
    sent(role);
    role.receive("acceptor-0", promise(role.ballot, []), 0);
    role.receive("acceptor-1", promise(role.ballot, [entry(old(1), base + 3, commands(1, 2))]), 0);
    expect(sent(role)).toEqual([
      "accept 1.1.0 0: noop+3",
      "accept 1.1.0 3: commands 1+2 skip 0",
      "accept 1.1.0 5: commands 7+1 skip 0",
    ]);
  });

  it("proposes nothing below the highest trim", () => {
    const role = proposer();
    role.campaign(0);
    sent(role);
    role.receive("acceptor-0", promise(role.ballot, [entry(old(1), base, commands(1, 4))]), 0);
    role.receive("acceptor-1", promise(role.ballot, [], { trimmedBelow: base + 3 }), 0);
    expect(role.chosenBelow).toBe(base + 3);
    expect(sent(role)).toEqual(["accept 1.1.0 3: commands 4+1 skip 3"]);
  });

  it("asks for the rest of a Promise, and counts it once all of it has come", () => {
    const role = proposer();
    role.campaign(0);
    role.takeReady(0);
    const part = (firstInstance: number, continuesAt: number) => {
      const accepted = [entry(old(1), base + firstInstance, commands(firstInstance + 1, 1))];
      const message = { firstInstance: firstInstance && base + firstInstance, trimmedBelow: base };
      return promise(role.ballot, accepted, {
        ...message,
        continuesAt: continuesAt < 0 ? -1 : base + continuesAt,
      });
    };
    const asked = (now: number) =>
      role.takeReady(now).send.map(({ to, message }) => {
        if (message.type !== "prepare") return message.type;
        return `${to} from ${Math.max(0, message.firstInstance - base)}`;
      });
    role.receive("acceptor-0", part(0, 1), 10);
    expect(asked(10)).toEqual(["acceptor-0 from 1"]);
    // Neither the same part again, nor one that lies further on.
    role.receive("acceptor-0", part(0, -1), 20);
    role.receive("acceptor-0", part(2, -1), 20);
    role.receive("acceptor-1", promise(role.ballot, []), 30);
    role.receive("acceptor-1", promise(role.ballot, []), 30);
    expect(role.state).toBe("preparing");
    expect(asked(30)).toEqual([]);
    // Whoever has told everything is not asked again, the others where they stand.
    role.tick(110);
    expect(asked(110)).toEqual(["acceptor-0 from 1", "acceptor-2 from 0"]);
    role.receive("acceptor-0", part(1, 2), 120);
    expect(asked(120)).toEqual(["acceptor-0 from 2"]);
    role.receive("acceptor-0", part(2, -1), 130);
    expect(role.state).toBe("leading");
    expect(sent(role, 130)).toEqual([0, 1, 2].map(at => `accept 1.1.0 ${at}: commands ${at + 1}+1 skip 0`));
  });

  it("skips what was trimmed between two parts of a Promise", () => {
    const role = proposer();
    role.campaign(0);
    role.takeReady(0);
    const first = [entry(old(1), base, commands(1, 2))];
    role.receive("acceptor-0", promise(role.ballot, first, { continuesAt: base + 2 }), 0);
    const rest = [entry(old(1), base + 5, commands(6, 1))];
    const trimmed = { firstInstance: base + 2, trimmedBelow: base + 4 };
    role.receive("acceptor-0", promise(role.ballot, rest, trimmed), 0);
    role.receive("acceptor-2", promise(role.ballot, []), 0);
    expect(role.chosenBelow).toBe(base + 4);
    role.takeReady(0);
    role.tick(100);
    expect(sent(role, 100)).toEqual(["accept 1.1.0 4: noop+1", "accept 1.1.0 5: commands 6+1 skip 0"]);
  });

  it("counts only its present ballot's answers, and a duplicate once", () => {
    const role = proposer();
    const first = lead(role, [entry(old(0), base, commands(1, 1))], []);
    expect(first).toHaveLength(1);
    const before = role.ballot;
    const accepted = (ballot: Ballot) =>
      ({ type: "accepted", ballot, firstInstance: base, count: 1, ...told }) as const;
    role.campaign(0);
    sent(role);
    for (const index of [0, 1]) {
      const found = [entry(before, base, commands(1, 1))];
      role.receive(`acceptor-${index}`, promise(role.ballot, found, { firstInstance: base }), 0);
    }
    sent(role);
    role.receive("acceptor-0", accepted(before), 0);
    role.receive("acceptor-1", accepted(before), 0);
    role.receive("acceptor-2", accepted(role.ballot), 0);
    role.receive("acceptor-2", accepted(role.ballot), 0);
    expect(role.chosenBelow).toBe(base);
    role.receive("acceptor-0", accepted(role.ballot), 0);
    expect(role.chosenBelow).toBe(base + 1);
  });

  it("sends the same again when nobody answers", () => {
    const role = proposer();
    const lines = lead(role, [entry(old(1), base, commands(1, 2))], []);
    expect(role.deadline).toBe(100);
    propose(role, commands(9, 1).segments);
    role.tick(100);
    expect(sent(role, 100)).toEqual([...lines, "accept 1.1.0 2: commands 9+1 skip 0"]);
  });

  it("gives way to a higher ballot, and hands what waits to whoever leads then", () => {
    const role = proposer("multi", 1);
    lead(role, [], []);
    propose(role, commands(1, 3).segments);
    propose(role, commands(4, 2).segments);
    expect(sent(role)).toEqual(["accept 1.1.0 0: commands 1+3 skip 0"]);
    const refused = {
      type: "refuse",
      full: false,
      ballot: role.ballot,
      promised: old(5),
      trimmedBelow: 0,
    } as const;
    role.receive("acceptor-0", { ...refused, leaseUntil: 0 }, 0);
    expect(role.state).toBe("following");
    expect(sent(role)).toEqual([]);
    expect(role.queuedCommands).toBe(5);
    const heartbeat = {
      type: "heartbeat",
      ballot: old(5),
      round: 1,
      chosenBelow: 0,
      distinguished: -1,
    } as const;
    role.receive("proposer-1", { ...heartbeat, leaseUntil: 10 }, 5);
    // What was under way may have been forwarded to here: nothing is forwarded twice. Its client hears that first.
    expect(sent(role)).toEqual([
      "propose commands 4+2 skip 0, forwarded",
      "notLeader 5.1.1: 1",
      "notLeader 5.1.1: 1, handed on",
    ]);
    expect(role.queuedCommands).toBe(0);
    role.campaign(0);
    expect(formatBallot(role.ballot)).toBe("6.1.0");
  });

  it("runs phase 1 for every batch in Basic Paxos", () => {
    const role = proposer("basic");
    expect(lead(role, [], [])).toEqual([]);
    propose(role, commands(1, 6).segments);
    expect(sent(role)).toEqual(["accept 1.1.0 0: commands 1+4 skip 0"]);
    for (const from of ["acceptor-0", "acceptor-1"]) {
      role.receive(
        from,
        {
          type: "accepted",
          ballot: role.ballot,
          firstInstance: base,
          count: 4,
          ...told,
        },
        0,
      );
    }
    expect(sent(role)).toEqual(["prepare 2.1.0"]);
  });
});
