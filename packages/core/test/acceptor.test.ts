import {
  Acceptor,
  type AcceptorRecord,
  type AcceptorState,
  type Ballot,
  type Envelope,
  formatBallot,
  limits,
  noopBatch,
  recoverAcceptor,
} from "@synod/core";
import { describe, expect, it } from "vitest";
import { ballotOf, commands } from "./support.js";

const leaseMs = 100;
const leader = ballotOf(1, 0);
const rival = ballotOf(2, 1);

class Tested {
  readonly acceptor: Acceptor;
  readonly records: AcceptorRecord[] = [];

  constructor(recovered?: AcceptorState, now = 0) {
    const topology = { proposers: 2, acceptors: 3, learners: 1 };
    this.acceptor = new Acceptor({ topology, leaseMs }, recovered, now);
  }

  prepare(ballot: Ballot, now: number, released: Ballot | null = null): string[] {
    const message = { type: "prepare", ballot, firstInstance: 0, released } as const;
    this.acceptor.receive(`proposer-${ballot.proposer}`, message, now);
    return this.#answers();
  }

  heartbeat(ballot: Ballot, leaseUntil: number): string[] {
    const rest = { round: 3, chosenBelow: 0, distinguished: -1 };
    const message = { type: "heartbeat", ballot, leaseUntil, ...rest } as const;
    this.acceptor.receive(`proposer-${ballot.proposer}`, message, 0);
    return this.#answers();
  }

  accept(ballot: Ballot, leaseUntil: number): string[] {
    const rest = { firstInstance: 0, batch: commands(1, 1), trimBelow: 0, distinguished: -1, source: null };
    const message = { type: "accept", ballot, leaseUntil, ...rest } as const;
    this.acceptor.receive(`proposer-${ballot.proposer}`, message, 0);
    return this.#answers();
  }

  /** What the proposers are told, one line each. */
  #answers(): string[] {
    const { persist, send } = this.acceptor.takeReady();
    this.records.push(...persist);
    return send.filter(({ to }) => to[0]?.startsWith("proposer")).map(describeAnswer);
  }
}

function describeAnswer({ message }: Envelope): string {
  switch (message.type) {
    case "refuse": {
      const leased = message.leaseUntil > 0 ? `, leased until ${message.leaseUntil}` : "";
      return `refuse: promised ${formatBallot(message.promised)}${leased}`;
    }
    case "granted":
    case "accepted":
      return `${message.type} until ${message.leaseUntil}`;
    default:
      return message.type;
  }
}

describe("an acceptor's lease", () => {
  it("is granted with Accept and heartbeat, and refuses the Prepares of others until it ends", () => {
    const tested = new Tested();
    expect(tested.accept(leader, 100)).toEqual(["accepted until 100"]);
    expect(tested.heartbeat(leader, 150)).toEqual(["granted until 150"]);
    // A message that comes late takes nothing back.
    expect(tested.heartbeat(leader, 120)).toEqual(["granted until 150"]);
    const persisted = tested.records.length;
    expect(tested.prepare(rival, 149)).toEqual(["refuse: promised 1.1.0, leased until 150"]);
    // A refused Prepare has changed nothing: the leader does not notice.
    expect(tested.records).toHaveLength(persisted);
    expect(tested.accept(leader, 150)).toEqual(["accepted until 150"]);
    expect(tested.prepare(ballotOf(3, 0), 149)).toEqual(["promise"]);
    expect(tested.prepare(ballotOf(4, 1), 150)).toEqual(["promise"]);
  });

  it("is not granted to a ballot below the promise", () => {
    const tested = new Tested();
    expect(tested.heartbeat(leader, 100)).toEqual(["granted until 100"]);
    expect(tested.prepare(rival, 100)).toEqual(["promise"]);
    expect(tested.heartbeat(leader, 900)).toEqual(["refuse: promised 2.1.1"]);
    expect(tested.accept(leader, 900)).toEqual(["refuse: promised 2.1.1"]);
    expect(tested.acceptor.lease.until).toBe(100);
    expect(tested.prepare(ballotOf(3, 2), 110)).toEqual(["promise"]);
  });

  it("is stored with the promise", () => {
    const before = new Tested();
    before.accept(leader, 80);
    before.heartbeat(leader, 100);
    const recovered = recoverAcceptor(before.records);
    expect(recovered).toMatchObject({ promised: leader, lease: { ballot: leader, until: 100 } });
    const after = new Tested(recovered, 50);
    expect(after.prepare(rival, 99)).toEqual(["refuse: promised 1.1.0, leased until 100"]);
    expect(after.prepare(rival, 100)).toEqual(["promise"]);
  });

  it("is waited for by an acceptor that has lost it, but not at a first start", () => {
    const recovered = { ...recoverAcceptor([{ kind: "promise", ballot: leader }]), lease: undefined };
    const restarted = new Tested(recovered, 50);
    expect(restarted.prepare(rival, 149)).toEqual(["refuse: promised 1.1.0, leased until 150"]);
    expect(restarted.prepare(rival, 150)).toEqual(["promise"]);
    expect(new Tested().prepare(rival, 0)).toEqual(["promise"]);
  });

  it("is given up only by the name of its holder's ballot", () => {
    const tested = new Tested();
    tested.heartbeat(ballotOf(2, 0), 100);
    for (const released of [null, ballotOf(1, 0), ballotOf(9, 2), { ...ballotOf(2, 0), incarnation: 2 }]) {
      expect(tested.prepare(ballotOf(10), 10, released), JSON.stringify(released)).toEqual([
        "refuse: promised 2.1.0, leased until 100",
      ]);
    }
    expect(tested.prepare(ballotOf(10), 10, ballotOf(2, 0))).toEqual(["promise"]);
  });
});

describe("an acceptor", () => {
  it("says only so much at once, also of entries that have no payload", () => {
    const topology = { proposers: 2, acceptors: 3, learners: 1 };
    // An entry of no-ops weighs as much as an entry and its one segment do.
    const entryBytes = 2 * limits.entryOverheadBytes;
    const bounds = { promisePartBytesMax: 2 * entryBytes, fetchBytesMax: 3 * entryBytes };
    const acceptor = new Acceptor({ topology, leaseMs, bounds }, undefined, 0);
    const rest = { trimBelow: 0, leaseUntil: 0, distinguished: -1, source: null };
    for (let firstInstance = 0; firstInstance < 5; firstInstance++) {
      const batch = noopBatch(1, 0);
      const message = { type: "accept", ballot: leader, firstInstance, batch, ...rest } as const;
      acceptor.receive("proposer-0", message, 0);
    }
    acceptor.takeReady();
    acceptor.receive("learner-0", { type: "fetch", firstInstance: 1 }, 0);
    const told = acceptor.takeReady().send.map(({ message }) => message);
    expect(told).toMatchObject([1, 2, 3].map(firstInstance => ({ type: "accepted", firstInstance })));
    const parts = [0, 2, 4, 2].flatMap(firstInstance => {
      acceptor.receive("proposer-1", { type: "prepare", ballot: rival, firstInstance, released: null }, 0);
      return acceptor.takeReady().send.map(({ message }) => {
        if (message.type !== "promise") return message.type;
        const { accepted, continuesAt } = message;
        return {
          firstInstance: message.firstInstance,
          has: accepted.map(at => at.firstInstance),
          continuesAt,
        };
      });
    });
    expect(parts).toEqual([
      { firstInstance: 0, has: [0, 1], continuesAt: 2 },
      { firstInstance: 2, has: [2, 3], continuesAt: 4 },
      { firstInstance: 4, has: [4], continuesAt: -1 },
      { firstInstance: 2, has: [2, 3], continuesAt: 4 },
    ]);
  });

  it("recovers what it had persisted, whatever its state was", () => {
    const tested = new Tested();
    tested.prepare(leader, 0);
    tested.accept(leader, 10);
    tested.prepare(rival, 20);
    const { acceptor, records } = tested;
    const recovered = recoverAcceptor(records);
    expect(recovered.promised).toEqual(acceptor.promised);
    expect(recovered.lease).toEqual(acceptor.lease);
    expect(recovered.accepted).toMatchObject([{ ballot: leader, firstInstance: 0, count: 1 }]);
  });
});
