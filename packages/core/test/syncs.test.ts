import { type Ballot, type Message, probeId, Syncs } from "@synod/core";
import { describe, expect, it } from "vitest";
import { ballotOf } from "./support.js";

const leaseMs = 400;
const askAgainMs = 150;
const farAway = 10_000;

class Tested {
  readonly syncs: Syncs;

  constructor() {
    this.syncs = new Syncs({ topology: { proposers: 3, acceptors: 3, learners: 2 }, leaseMs, askAgainMs });
  }

  add(now: number, deadline = farAway): number {
    return this.syncs.add(deadline, now);
  }

  /** What comes of what has happened: who is asked, with which number, and what is done or late. */
  take(now: number): { readonly asked: string[]; readonly done: number[]; readonly late: string[] } {
    const { send, done, expired } = this.syncs.takeReady(now);
    const asked = send.map(
      ({ to, message }) => `${to.join(",")}: ${message.type} ${(message as { id: number }).id}`,
    );
    return { asked, done: [...done], late: expired.map(({ id, reason }) => `${id} ${reason}`) };
  }

  tick(now: number) {
    this.syncs.tick(now);
    return this.take(now);
  }

  ready(
    id: number,
    readBelow: number,
    now: number,
    ballot: Ballot = ballotOf(1, 0),
    from = ballot.proposer,
  ): void {
    const message: Message = { type: "readReady", id, ballot, readBelow, storageFull: false };
    this.syncs.receive(`proposer-${from}`, message, now);
  }

  notLeader(from: number, leader: number, ballot: Ballot, now: number): void {
    this.syncs.receive(`proposer-${from}`, { type: "notLeader", ballot, leader, forwarded: false }, now);
  }
}

describe("syncs of an observer", () => {
  it("ask together if they begin together, and are done when enough is applied here", () => {
    const tested = new Tested();
    const ids = [tested.add(0), tested.add(0)];
    expect(tested.take(0)).toEqual({ asked: ["proposer-0: read 1"], done: [], late: [] });
    tested.ready(1, 7, 5);
    expect(tested.take(5)).toEqual({ asked: [], done: [], late: [] });
    expect(tested.syncs.awaitedBelow).toBe(7);
    tested.syncs.applied(6);
    expect(tested.take(6).done).toEqual([]);
    tested.syncs.applied(7);
    expect(tested.take(7).done).toEqual(ids);
    expect(tested.syncs.open).toBe(0);
    expect(tested.syncs.awaitedBelow).toBe(0);
    expect(tested.syncs.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("are done at once when everything is applied already, but not before the leader has said so", () => {
    const tested = new Tested();
    tested.syncs.applied(7);
    const id = tested.add(0);
    expect(tested.take(0).done).toEqual([]);
    tested.ready(1, 7, 5);
    expect(tested.take(5).done).toEqual([id]);
  });

  it("that begin after the question was sent ask again: the answer may be from before them", () => {
    const tested = new Tested();
    const first = tested.add(0);
    expect(tested.take(0).asked).toEqual(["proposer-0: read 1"]);
    const second = tested.add(1);
    expect(tested.take(1).asked).toEqual(["proposer-0: read 2"]);
    tested.ready(1, 0, 5);
    expect(tested.take(5).done).toEqual([first]);
    tested.ready(2, 0, 6);
    expect(tested.take(6).done).toEqual([second]);
  });

  it("ask the next proposer when one is silent", () => {
    const tested = new Tested();
    tested.add(0);
    tested.take(0);
    expect(tested.tick(askAgainMs).asked).toContain("proposer-1: read 2");
    expect(tested.tick(2 * askAgainMs).asked).toContain("proposer-2: read 3");
  });

  it("ask whom a proposer names that does not lead, unless it is older news", () => {
    const tested = new Tested();
    tested.add(0);
    tested.take(0);
    tested.notLeader(0, 2, ballotOf(5, 2), 1);
    expect(tested.take(1).asked).toEqual(["proposer-2: read 2"]);
    tested.notLeader(0, 1, ballotOf(4, 1), 2);
    expect(tested.take(2).asked).toEqual([]);
    // An answer to the question that was dropped is nobody's.
    tested.ready(1, 0, 3, ballotOf(1, 0));
    expect(tested.take(3).done).toEqual([]);
    tested.ready(2, 0, 4, ballotOf(5, 2));
    expect(tested.take(4).done).toEqual([1]);
  });

  it("ask all proposers when nobody answers, and then the one that leads", () => {
    const tested = new Tested();
    const id = tested.add(0);
    tested.take(0);
    const probes: string[] = [];
    let now = 0;
    while (probes.length === 0) {
      now = tested.syncs.deadline;
      probes.push(...tested.tick(now).asked.filter(line => line.endsWith(`read ${probeId}`)));
    }
    expect(probes).toEqual([`proposer-0,proposer-1,proposer-2: read ${probeId}`]);
    tested.ready(probeId, 0, now + 1, ballotOf(3, 2));
    const { asked } = tested.take(now + 1);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^proposer-2: read /);
    const request = Number(asked[0]?.split(" ").at(-1));
    tested.ready(request, 0, now + 2, ballotOf(3, 2));
    expect(tested.take(now + 2).done).toEqual([id]);
  });

  it("take the lowest read index that they were given, since any was asked for after they began", () => {
    const tested = new Tested();
    const id = tested.add(0);
    tested.take(0);
    tested.ready(1, 9, 1);
    tested.take(1);
    // What was proposed below 9 may have been lost with its leader: asked again.
    expect(tested.tick(1 + askAgainMs).asked).toContain("proposer-0: read 2");
    tested.ready(2, 5, 2 + askAgainMs);
    tested.take(2 + askAgainMs);
    expect(tested.syncs.awaitedBelow).toBe(5);
    tested.syncs.applied(5);
    expect(tested.take(3 + askAgainMs).done).toEqual([id]);
  });

  it("expire at their deadline, and say whether anybody leads", () => {
    const alone = new Tested();
    alone.add(0, 1000);
    let late: string[] = [];
    for (let now = 0; late.length === 0; now = alone.syncs.deadline) late = alone.tick(now).late;
    expect(late).toEqual(["1 noQuorum"]);

    const led = new Tested();
    led.add(0, 100);
    led.take(0);
    led.ready(1, 50, 1);
    led.take(1);
    expect(led.tick(100).late).toEqual(["1 timeout"]);
    led.syncs.applied(50);
    expect(led.take(101).done).toEqual([]);
    expect(led.syncs.awaitedBelow).toBe(0);
  });

  it("whose callers have gone are forgotten", () => {
    const tested = new Tested();
    const id = tested.add(0);
    tested.take(0);
    tested.ready(1, 9, 1);
    tested.take(1);
    tested.syncs.forget(id);
    tested.syncs.applied(9);
    expect(tested.take(2).done).toEqual([]);
    expect(tested.syncs.open).toBe(0);
  });
});
