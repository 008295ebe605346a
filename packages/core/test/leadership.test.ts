import {
  type Ballot,
  type Envelope,
  formatBallot,
  Learner,
  limits,
  type Message,
  Proposer,
  type ProposerOptions,
  type Segment,
  ThresholdQuorums,
} from "@synod/core";
import { describe, expect, it } from "vitest";
import { ballotOf, commandSegment } from "./support.js";

const leaseMs = 100;
const heartbeatMs = leaseMs / limits.heartbeatsPerLease;
/** How long a lease of {@link leaseMs} is trusted. */
const trustedMs = leaseMs - limits.clockSkewMs;

function proposer(more: Partial<ProposerOptions> = {}): Proposer {
  return new Proposer({
    topology: { proposers: 3, acceptors: 3, learners: 2 },
    quorums: new ThresholdQuorums(3),
    index: 0,
    incarnation: 1,
    mode: "multi",
    batch: { commandsMax: 4, bytesMax: 1000, lingerMs: 0, adaptive: false },
    pipeline: { batchesMax: 8 },
    retransmitMs: 1000,
    leaseMs,
    distinguishedLearner: false,
    random: () => 0,
    ...more,
  });
}

function describeMessage(message: Message): string {
  const name = (segment: Segment) => {
    if (!("firstSequence" in segment)) return segment.kind;
    return `${segment.firstSequence}+${segment.count}`;
  };
  switch (message.type) {
    case "prepare":
      return `prepare ${formatBallot(message.ballot)} from ${message.firstInstance}`;
    case "accept":
      return `accept ${message.firstInstance}: ${message.batch.segments.map(name).join(" ")}`;
    case "heartbeat":
      return `heartbeat ${message.round}`;
    case "notLeader":
      return `notLeader, but ${message.leader}${message.forwarded ? ", handed on" : ""}`;
    case "propose":
      return `propose ${message.segments.map(name).join(" ")}${message.forwarded ? ", forwarded" : ""}`;
    case "readReady":
      return `readReady ${message.id} below ${message.readBelow}`;
    case "release":
      return `release ${formatBallot(message.ballot)}`;
    default:
      return message.type;
  }
}

/** Names all of a role by the role: `acceptors`. */
function describeReceivers({ to }: Envelope): string {
  const all = ["acceptor-0", "acceptor-1", "acceptor-2"];
  return all.every(acceptor => to.includes(acceptor)) ? "acceptors" : to.join();
}

/** What is sent, one line each. Heartbeats are left out unless they are asked for. */
function sent(role: Proposer, now: number, { heartbeats = false } = {}): string[] {
  return role
    .takeReady(now)
    .send.filter(({ message }) => heartbeats || message.type !== "heartbeat")
    .map(envelope => `${describeReceivers(envelope)} ${describeMessage(envelope.message)}`);
}

function propose(role: Proposer, now: number, first: number, count = 1, forwarded = false): void {
  const segments = [commandSegment(first, count)];
  role.receive("client-1", { type: "propose", segments, forwarded }, now);
}

function read(role: Proposer, id: number, now: number): void {
  role.receive("client-1", { type: "read", id }, now);
}

/** Two acceptors promise, and nothing was accepted before. */
function promise(role: Proposer, now: number, firstInstance = 0): void {
  for (const from of ["acceptor-0", "acceptor-1"]) {
    const rest = { continuesAt: -1, accepted: [] };
    role.receive(
      from,
      { type: "promise", ballot: role.ballot, firstInstance, trimmedBelow: 0, ...rest },
      now,
    );
  }
}

function grant(role: Proposer, leaseUntil: number, round: number, from = ["acceptor-0", "acceptor-1"]): void {
  for (const acceptor of from) {
    role.receive(acceptor, { type: "granted", ballot: role.ballot, leaseUntil, round }, 0);
  }
}

function accept(role: Proposer, firstInstance: number, count: number, leaseUntil = 0): void {
  const told = { batch: null, source: null, distinguished: -1, leaseUntil } as const;
  for (const from of ["acceptor-0", "acceptor-1"]) {
    role.receive(from, { type: "accepted", ballot: role.ballot, firstInstance, count, ...told }, 0);
  }
}

function refuse(role: Proposer, from: string, promised: Ballot, now: number, leaseUntil = 0): void {
  role.receive(
    from,
    { type: "refuse", full: false, ballot: role.ballot, promised, trimmedBelow: 0, leaseUntil },
    now,
  );
}

function hear(role: Proposer, ballot: Ballot, leaseUntil: number, now: number): void {
  const message = {
    type: "heartbeat",
    ballot,
    leaseUntil,
    round: 1,
    chosenBelow: 0,
    distinguished: -1,
  } as const;
  role.receive(`proposer-${ballot.proposer}`, message, now);
}

/** Leads since time 0, and holds the lease from then on. */
function leader(more: Partial<ProposerOptions> = {}): Proposer {
  const role = proposer(more);
  role.campaign(0);
  promise(role, 0);
  sent(role, 0);
  grant(role, leaseMs, 1);
  expect(role.state).toBe("leading");
  return role;
}

describe("a leader with a lease", () => {
  it("has it as soon as a quorum has granted it, and for as long as the quorum has", () => {
    const role = proposer();
    role.campaign(0);
    promise(role, 0);
    sent(role, 0);
    grant(role, leaseMs, 1, ["acceptor-0"]);
    expect(role.leaseUntil).toBeLessThanOrEqual(0);
    grant(role, leaseMs, 1, ["acceptor-2"]);
    expect(role.leaseUntil).toBe(trustedMs);
    propose(role, 50, 1);
    sent(role, 50);
    accept(role, 0, 1, 50 + leaseMs);
    expect(role.leaseUntil).toBe(50 + trustedMs);
  });

  it("wins back a single acceptor that has promised more to somebody else", () => {
    const role = leader();
    propose(role, 10, 1);
    sent(role, 10);
    refuse(role, "acceptor-2", ballotOf(7), 20);
    expect(role.state).toBe("preparing");
    expect(sent(role, 20)).toEqual(["acceptors prepare 8.1.0 from 0"]);
    promise(role, 20);
    expect(sent(role, 20)).toEqual(["acceptors accept 0: 1+1"]);
    // Acceptors have granted the lease to this life of the proposer, not to its ballot.
    expect(role.leaseUntil).toBe(trustedMs);
  });

  it("steps down when its lease has run out, or when a blocking set has promised more", () => {
    const late = leader();
    refuse(late, "acceptor-2", ballotOf(7), trustedMs);
    expect(late.state).toBe("following");
    const blocked = leader({ quorums: new ThresholdQuorums(3, { prepare: 1, accept: 3 }) });
    grant(blocked, leaseMs, 1, ["acceptor-2"]);
    expect(blocked.leaseUntil).toBe(trustedMs);
    refuse(blocked, "acceptor-2", ballotOf(7), 10);
    expect(blocked.state).toBe("following");
  });

  it("does not mind refusals of what it has prepared before", () => {
    const role = leader();
    const message = {
      type: "refuse",
      full: false,
      ballot: ballotOf(0, 0),
      promised: ballotOf(7),
      trimmedBelow: 0,
    } as const;
    for (const from of ["acceptor-0", "acceptor-1"]) role.receive(from, { ...message, leaseUntil: 0 }, 10);
    expect(role.state).toBe("leading");
  });

  it("learns from a refusal what is trimmed, and goes on", () => {
    const role = leader();
    propose(role, 10, 1, 4);
    propose(role, 10, 5, 4);
    sent(role, 10);
    const refused = {
      type: "refuse",
      full: false,
      ballot: role.ballot,
      promised: role.ballot,
      leaseUntil: 0,
    } as const;
    role.receive("acceptor-2", { ...refused, trimmedBelow: 6 }, 20);
    expect([role.state, role.chosenBelow]).toEqual(["leading", 6]);
    role.tick(10 + 1000);
    expect(sent(role, 10 + 1000)).toEqual(["acceptors accept 6: 7+2"]);
  });

  it("sends heartbeats to everybody, also while it has more to do than it can send", () => {
    const role = leader({ pipeline: { batchesMax: 1 } });
    const times: number[] = [];
    let receivers: readonly string[] = [];
    for (let now = 0; now <= 4 * heartbeatMs; now += 5) {
      // Messages come so fast that nobody ever waits for a deadline and calls tick().
      propose(role, now, 1 + now, 5);
      const heartbeat = role.takeReady(now).send.find(({ message }) => message.type === "heartbeat");
      if (heartbeat === undefined) continue;
      times.push(now);
      receivers = heartbeat.to;
    }
    expect(times).toEqual([1, 2, 3, 4].map(beat => beat * heartbeatMs));
    expect([...receivers].sort()).toEqual([
      "acceptor-0",
      "acceptor-1",
      "acceptor-2",
      "learner-0",
      "learner-1",
      "proposer-1",
      "proposer-2",
    ]);
  });
});

/** Who is sent a heartbeat, and when, until `untilMs`; `onBeat` may answer. */
function heartbeats(role: Proposer, untilMs: number, onTime: (now: number) => void = () => undefined) {
  const beats: { at: number; learners: boolean }[] = [];
  for (let now = 0; now <= untilMs; now++) {
    onTime(now);
    for (const { to, message } of role.takeReady(now).send) {
      if (message.type !== "heartbeat") continue;
      beats.push({ at: now, learners: to.includes("learner-0") });
      for (const address of ["acceptor-0", "acceptor-2", "proposer-1", "proposer-2"]) {
        expect(to).toContain(address);
      }
      grant(role, message.leaseUntil, message.round);
    }
  }
  return beats;
}

function progress(role: Proposer, appliedBelow: number, now: number, learners = [0, 1]): void {
  const report = { type: "progress", appliedBelow, stuck: false, trimBelow: 0, pinnedAt: -1 } as const;
  for (const learner of learners) role.receive(`learner-${learner}`, report, now);
}

describe("heartbeats of a leader that has nothing to do", () => {
  const idleMs = leaseMs / limits.heartbeatsPerIdleLease;
  const times = (beats: { at: number }[]) => beats.map(({ at }) => at);

  it("are fewer, as long as it holds the lease", () => {
    const role = leader();
    expect(times(heartbeats(role, 4 * idleMs))).toEqual(
      [0, 1, 2, 3].map(beat => heartbeatMs + beat * idleMs),
    );
    const lonely = leader();
    const sentAt: number[] = [];
    for (let now = 0; now <= 2 * leaseMs; now++) {
      if (sent(lonely, now, { heartbeats: true }).length > 0) sentAt.push(now);
    }
    expect(sentAt.filter(at => at >= leaseMs).length).toBeGreaterThanOrEqual(limits.heartbeatsPerLease);
  });

  it("are as many as ever while something is proposed or read", () => {
    for (const use of [propose, read]) {
      const role = leader();
      const beats = heartbeats(role, 4 * heartbeatMs, now => {
        if (now % 10 === 0) use(role, now, 1 + now);
      });
      expect(times(beats)).toEqual([1, 2, 3, 4].map(beat => beat * heartbeatMs));
    }
  });

  it("go to learners once in a lease, and always while one of them has not said that it has all", () => {
    const role = leader();
    const quiet = heartbeats(role, 4 * leaseMs);
    const told = quiet.filter(({ learners }) => learners).map(({ at }) => at);
    expect(quiet.length).toBeGreaterThanOrEqual(2 * told.length - 1);
    expect(told.length).toBeGreaterThanOrEqual(3);
    told.slice(1).forEach((at, before) => {
      expect(at - told[before]!).toBeLessThan(leaseMs + idleMs);
    });

    const lagging = leader();
    propose(lagging, 1, 1);
    sent(lagging, 1);
    accept(lagging, 0, 1, leaseMs);
    progress(lagging, 1, 1, [0]);
    expect(heartbeats(lagging, leaseMs).every(({ learners }) => learners)).toBe(true);
    progress(lagging, 1, 1, [1]);
    const later = heartbeats(lagging, 4 * leaseMs).map(({ learners }) => learners);
    expect(later).toContain(false);
    expect(later).toContain(true);
  });
});

describe("a learner that starts anew in an idle cluster", () => {
  it.each([true, false])("says so, and is told at once what is chosen (it had reported: %s)", hadReported => {
    const role = leader();
    propose(role, 1, 1);
    sent(role, 1);
    accept(role, 0, 1, leaseMs);
    progress(role, 1, 1, hadReported ? [0, 1] : [0]);
    const before = heartbeats(role, leaseMs);
    expect(before.some(({ learners }) => learners)).toBe(true);
    const topology = { proposers: 3, acceptors: 3, learners: 2 };
    const learner = new Learner({ topology, quorums: new ThresholdQuorums(3), index: 1, fetchAfterMs: 100 });
    learner.start(leaseMs);
    for (const { to, message } of learner.takeReady().send) {
      if (to.includes("proposer-0")) role.receive("learner-1", message, leaseMs);
    }
    const beats = role.takeReady(leaseMs).send.filter(({ message }) => message.type === "heartbeat");
    expect(beats).toMatchObject([{ to: expect.arrayContaining(["learner-1"]), message: { chosenBelow: 1 } }]);
    // It goes on from there.
    progress(role, 1, leaseMs + 1, [1]);
    expect(sent(role, leaseMs + 1, { heartbeats: true })).toEqual([]);
  });
});

describe("a proposer that may sleep through votes", () => {
  it("leads, and nothing waits for a place in the pipeline", () => {
    const role = leader({ pipeline: { batchesMax: 1 } });
    expect(role.expectsVotes).toBe(false);
    propose(role, 1, 1);
    sent(role, 1);
    expect(role.expectsVotes, "one batch is under way, and nothing behind it").toBe(false);
    propose(role, 2, 2);
    sent(role, 2);
    expect(role.expectsVotes).toBe(true);
    accept(role, 0, 1);
    sent(role, 3);
    expect(role.expectsVotes, "the second one has left").toBe(false);
  });

  it("has nothing to hand over, and no reads that wait", () => {
    const handing = leader();
    handing.transferLeadership(1, 10);
    expect(handing.expectsVotes).toBe(true);
    const role = leader();
    read(role, 1, trustedMs);
    sent(role, trustedMs);
    expect(role.expectsVotes).toBe(true);
  });

  it("does not prepare, nor for each instance anew", () => {
    const role = proposer();
    role.campaign(0);
    expect(role.expectsVotes).toBe(true);
    expect(leader({ mode: "basic" }).expectsVotes).toBe(true);
  });
});

describe("a proposer that may sleep through heartbeats and their answers", () => {
  it("leads, and had the lease when it last sent a heartbeat", () => {
    const role = proposer();
    role.campaign(0);
    expect(role.expectsNews).toBe(true);
    promise(role, 0);
    sent(role, 0);
    expect(role.expectsNews, "nothing is granted yet").toBe(true);
    grant(role, leaseMs, 1);
    expect(role.expectsNews).toBe(false);
    // The answers to each round are read when the next one is due; one round in vain is no reason to hurry.
    for (const now of [heartbeatMs, leaseMs - limits.clockSkewMs]) {
      expect(sent(role, now, { heartbeats: true })).toHaveLength(1);
      expect(role.expectsNews, `after a round at ${now} ms`).toBe(now > heartbeatMs);
    }
    grant(role, 2 * leaseMs, 3);
    expect(role.expectsNews).toBe(false);
  });

  it("follows a leader and has nothing for it", () => {
    const role = proposer();
    expect(role.expectsNews, "nobody leads").toBe(true);
    hear(role, ballotOf(1), leaseMs, 0);
    expect(role.expectsNews).toBe(false);
    role.campaign(leaseMs);
    refuse(role, "acceptor-0", ballotOf(7), leaseMs + 1);
    expect([role.state, role.expectsNews]).toEqual(["following", true]);
    hear(role, ballotOf(7), 3 * leaseMs, leaseMs + 2);
    expect(role.expectsNews).toBe(false);
  });

  it("has neither commands nor reads that wait for somebody who leads", () => {
    const late = leaseMs + 1;
    const waits = proposer();
    hear(waits, ballotOf(1), leaseMs, 0);
    propose(waits, late, 1);
    expect(waits.expectsNews).toBe(true);
    hear(waits, ballotOf(1), late + leaseMs, late + 1);
    expect(waits.expectsNews).toBe(false);
    const reads = proposer();
    hear(reads, ballotOf(1), leaseMs, 0);
    read(reads, 1, late);
    expect(reads.expectsNews).toBe(true);
  });

  it("has not promised to hand over, and has no reads that wait for a round", () => {
    const handing = leader();
    handing.transferLeadership(1, 10);
    expect(handing.expectsNews).toBe(true);
    const role = leader();
    read(role, 1, trustedMs);
    sent(role, trustedMs);
    expect(role.expectsNews).toBe(true);
  });
});

describe("reads", () => {
  it("are answered at once under a lease, with everything that is proposed", () => {
    const role = leader();
    propose(role, 10, 1, 4);
    propose(role, 10, 5, 3);
    sent(role, 10);
    read(role, 3, 20);
    expect(sent(role, 20)).toEqual(["client-1 readReady 3 below 7"]);
  });

  it("count what phase 1 has found, also what could not be proposed again yet", () => {
    const role = proposer({ pipeline: { batchesMax: 1 } });
    role.campaign(0);
    const batch = { timeMs: 1, count: 2, segments: [commandSegment(1, 2)] };
    const entry = { ballot: ballotOf(0), count: 2, batch, source: null };
    const accepted = [
      { ...entry, firstInstance: 0 },
      { ...entry, firstInstance: 6 },
    ];
    for (const from of ["acceptor-0", "acceptor-1"]) {
      const rest = { continuesAt: -1, accepted };
      role.receive(
        from,
        { type: "promise", ballot: role.ballot, firstInstance: 0, trimmedBelow: 0, ...rest },
        0,
      );
    }
    sent(role, 0);
    grant(role, leaseMs, 1);
    read(role, 1, 10);
    expect(sent(role, 10)).toEqual(["client-1 readReady 1 below 8"]);
  });

  it("need a round of heartbeats that was sent after them, when there is no lease", () => {
    const role = leader();
    const now = trustedMs;
    expect(sent(role, now, { heartbeats: true })).toHaveLength(1);
    read(role, 1, now);
    expect(sent(role, now, { heartbeats: true })).toEqual([expect.stringContaining("heartbeat 3")]);
    grant(role, 0, 2);
    expect(sent(role, now)).toEqual([]);
    grant(role, 0, 3, ["acceptor-2"]);
    expect(sent(role, now)).toEqual([]);
    grant(role, 0, 3, ["acceptor-0"]);
    expect(sent(role, now)).toEqual(["client-1 readReady 1 below 0"]);
  });

  it("are refused by whoever does not lead, with the name of the one who does, once there is one", () => {
    const role = proposer();
    read(role, 1, 0);
    read(role, 2, 0);
    expect(sent(role, 0)).toEqual([]);
    hear(role, ballotOf(1), 50, 10);
    expect(sent(role, 10)).toEqual(["client-1 notLeader, but 1"]);
    read(role, 3, 20);
    expect(sent(role, 20)).toEqual(["client-1 notLeader, but 1"]);
  });

  it("are refused without a name when too many wait", () => {
    const role = proposer();
    for (let id = 1; id <= limits.waitingReadsMax; id++) read(role, id, 0);
    expect(sent(role, 0)).toEqual([]);
    read(role, limits.waitingReadsMax + 1, 0);
    expect(sent(role, 0)).toEqual(["client-1 notLeader, but -1"]);
  });

  it("take turns with batches in Basic Paxos, however many of them come", () => {
    const role = proposer({ mode: "basic" });
    role.campaign(0);
    promise(role, 0);
    sent(role, 0);
    propose(role, 1, 1);
    read(role, 1, 1);
    // A read's round must be answered in the ballot that it was sent in.
    expect(sent(role, 1)).toEqual([]);
    read(role, 2, 2);
    expect(sent(role, 2)).toEqual([]);
    grant(role, 0, 2);
    expect(sent(role, 3)).toEqual(["client-1 readReady 1 below 0", "acceptors accept 0: 1+1"]);
    propose(role, 4, 2);
    accept(role, 0, 1);
    expect(sent(role, 4)).toEqual(["acceptors prepare 2.1.0 from 1"]);
    promise(role, 5, 1);
    expect(sent(role, 5)).toEqual([]);
    grant(role, 0, 1);
    expect(sent(role, 6)).toEqual(["client-1 readReady 2 below 1", "acceptors accept 1: 2+1"]);
  });

  it("wait for phase 1, and when it fails, for somebody who leads", () => {
    const role = proposer();
    role.campaign(0);
    read(role, 1, 0);
    promise(role, 5);
    expect(sent(role, 5)).not.toContainEqual(expect.stringContaining("readReady"));
    grant(role, leaseMs, 1);
    expect(sent(role, 6)).toEqual(["client-1 readReady 1 below 0"]);
    const other = proposer();
    other.campaign(0);
    read(other, 1, 0);
    sent(other, 0);
    refuse(other, "acceptor-0", ballotOf(5), 5);
    expect(sent(other, 5)).toEqual([]);
    hear(other, ballotOf(5), 50, 10);
    expect(sent(other, 10)).toEqual(["client-1 notLeader, but 1"]);
  });
});

describe("a proposer that does not lead", () => {
  it("forwards what it is given to the leader, once", () => {
    const role = proposer();
    hear(role, ballotOf(1), 50, 0);
    propose(role, 10, 1);
    expect(sent(role, 10)).toEqual([
      "proposer-1 propose 1+1, forwarded",
      "client-1 notLeader, but 1, handed on",
    ]);
    propose(role, 20, 2, 1, true);
    expect(sent(role, 20)).toEqual(["client-1 notLeader, but 1"]);
  });

  it("keeps what it is given until it hears of a leader", () => {
    const role = proposer();
    propose(role, 10, 1);
    propose(role, 10, 2);
    expect(sent(role, 10)).toEqual([]);
    // The lease that this heartbeat tells of has run out already.
    hear(role, ballotOf(1), 20, 20);
    expect(sent(role, 20)).toEqual([]);
    hear(role, ballotOf(1), 90, 30);
    expect(sent(role, 30)).toEqual([
      "proposer-1 propose 1+1 2+1, forwarded",
      "client-1 notLeader, but 1, handed on",
    ]);
  });

  it("believes no old news of who leads", () => {
    const role = proposer();
    hear(role, ballotOf(3), 50, 0);
    hear(role, ballotOf(2, 2), 500, 10);
    read(role, 1, 20);
    expect(sent(role, 20)).toEqual(["client-1 notLeader, but 1"]);
    expect(role.deadline).toBe(50);
  });

  it("proposes what it was given once it leads itself", () => {
    const role = proposer();
    propose(role, 10, 1);
    role.campaign(20);
    promise(role, 20);
    expect(sent(role, 20)).toEqual(["acceptors prepare 1.1.0 from 0", "acceptors accept 0: 1+1"]);
  });

  it("stands for election when the leader's lease has run out", () => {
    const role = proposer();
    role.start(0);
    hear(role, ballotOf(3), 50, 0);
    expect(role.deadline).toBe(50);
    role.tick(49);
    expect(role.state).toBe("following");
    role.tick(50);
    expect(sent(role, 50)).toEqual(["acceptors prepare 4.1.0 from 0"]);
  });

  it("gives up an attempt that meets the lease of a live leader, and waits for the lease to end", () => {
    const role = proposer();
    role.campaign(0);
    refuse(role, "acceptor-0", ballotOf(0), 5, 70);
    expect(role.state).toBe("preparing");
    refuse(role, "acceptor-1", ballotOf(0), 5, 60);
    expect([role.state, role.deadline]).toEqual(["following", 70]);
  });
});

describe("a transfer", () => {
  it("waits for what is under way, then gives up the ballot by its name, and hands on what waits", () => {
    const role = leader();
    propose(role, 10, 1);
    sent(role, 10);
    expect(role.transferLeadership(0, 10)).toBe(false);
    expect(role.transferLeadership(2, 10)).toBe(true);
    expect(role.leaseUntil).toBe(0);
    propose(role, 15, 2);
    read(role, 4, 15);
    expect(sent(role, 15)).toEqual([]);
    accept(role, 0, 1);
    expect(sent(role, 20)).toEqual([
      "proposer-2 release 1.1.0",
      "proposer-2 propose 2+1, forwarded",
      "client-1 notLeader, but 2, handed on",
      "client-1 notLeader, but 2",
    ]);
    expect([role.state, role.deadline]).toEqual(["following", 20 + leaseMs]);
    expect(role.transferLeadership(2, 20)).toBe(false);
  });

  it("waits no longer than a lease", () => {
    const role = leader();
    propose(role, 10, 1);
    sent(role, 10);
    role.transferLeadership(1, 10);
    expect(sent(role, 10 + leaseMs - 1)).toEqual([]);
    // What is under way waits for the next leader too, in front.
    propose(role, 10, 2);
    expect(role.deadline).toBeLessThanOrEqual(10 + leaseMs);
    const lines = sent(role, 10 + leaseMs);
    expect(lines[0]).toBe("proposer-1 release 1.1.0");
    expect(role.state).toBe("following");
  });

  it("makes the successor prepare with the released ballot", () => {
    const role = proposer();
    hear(role, ballotOf(4), 90, 0);
    role.receive("proposer-1", { type: "release", ballot: ballotOf(4) }, 10);
    expect(role.takeReady(10).send.at(-1)?.message).toEqual({
      type: "prepare",
      ballot: { round: 5, incarnation: 1, proposer: 0 },
      firstInstance: 0,
      released: ballotOf(4),
    });
  });

  it("counts, whatever its successor has tried before in vain", () => {
    const role = proposer();
    role.campaign(0);
    for (const from of ["acceptor-0", "acceptor-1"]) refuse(role, from, ballotOf(0), 5, 90);
    hear(role, ballotOf(1), 90, 10);
    expect(role.state).toBe("following");
    role.receive("proposer-1", { type: "release", ballot: ballotOf(1) }, 20);
    expect(role.takeReady(20).send.at(-1)?.message).toMatchObject({
      type: "prepare",
      ballot: { round: 2, proposer: 0 },
      released: ballotOf(1),
    });
  });

  it("that comes late means nothing", () => {
    const role = proposer();
    hear(role, ballotOf(4), 90, 0);
    role.receive("proposer-1", { type: "release", ballot: ballotOf(3) }, 10);
    expect(role.state).toBe("following");
  });
});

describe("batches", () => {
  it("that are not full wait for more for a while, and full ones do not", () => {
    const role = leader({ batch: { commandsMax: 4, bytesMax: 1000, lingerMs: 10, adaptive: false } });
    sent(role, heartbeatMs);
    propose(role, 30, 1);
    propose(role, 32, 2);
    expect(sent(role, 39)).toEqual([]);
    expect(role.deadline).toBe(40);
    expect(sent(role, 40)).toEqual(["acceptors accept 0: 1+1 2+1"]);
    propose(role, 41, 3, 3);
    propose(role, 41, 6, 1);
    expect(sent(role, 41)).toEqual(["acceptors accept 2: 3+3 6+1"]);
    propose(role, 42, 7);
    expect(sent(role, 42)).toEqual([]);
    expect(role.deadline).toBe(42 + 10);
  });

  it("never linger in Basic Paxos", () => {
    const batch = { commandsMax: 4, bytesMax: 1000, lingerMs: 10, adaptive: false };
    const role = leader({ mode: "basic", batch });
    propose(role, 1, 1);
    expect(sent(role, 1)).toEqual(["acceptors accept 0: 1+1"]);
    propose(role, 2, 2);
    expect(sent(role, 2)).toEqual([]);
    expect(role.deadline).toBe(heartbeatMs);
  });

  it("that follow the load wait for one of those under way, not for a time that has passed", () => {
    const role = leader({ batch: { commandsMax: 8, bytesMax: 1000, lingerMs: 10, adaptive: true } });
    for (let batch = 0; batch < 4; batch++) propose(role, 1, 1 + 8 * batch, 8);
    expect(sent(role, 1)).toHaveLength(4);
    propose(role, 2, 33);
    expect(sent(role, 12)).toEqual([]);
    expect(role.deadline).toBe(heartbeatMs);
    accept(role, 0, 8);
    expect(sent(role, 13)).toEqual(["acceptors accept 32: 33+1"]);
  });

  it("that follow the load grow while enough are under way", () => {
    const batch = { commandsMax: 500, bytesMax: 10_000, lingerMs: 0, adaptive: true };
    const role = leader({ batch, pipeline: { batchesMax: 16 } });
    for (let sequence = 1; sequence <= 4; sequence++) {
      propose(role, 1, sequence);
      expect(sent(role, 1)).toEqual([`acceptors accept ${sequence - 1}: ${sequence}+1`]);
    }
    propose(role, 2, 5);
    expect(sent(role, 2)).toEqual([]);
    accept(role, 0, 1);
    expect(sent(role, 3)).toEqual(["acceptors accept 4: 5+1"]);
    // A quarter of what is under way is hardly anything: a batch that is worth its message is larger.
    propose(role, 4, 6, 127);
    expect(sent(role, 4)).toEqual([]);
    propose(role, 4, 133);
    expect(sent(role, 4)).toEqual(["acceptors accept 5: 6+127 133+1"]);
    for (let piece = 0; piece < 10; piece++) propose(role, 5, 134 + 40 * piece, 40);
    expect(sent(role, 5)).toEqual([
      "acceptors accept 133: 134+40 174+40 214+40",
      "acceptors accept 253: 254+40 294+40 334+40",
      "acceptors accept 373: 374+40 414+40 454+40",
    ]);
    expect(role.queuedCommands).toBe(40);
  });
});
