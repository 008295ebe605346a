import { noBallot } from "@synod/core";
import { describe, expect, it } from "vitest";
import { ClientReads, type Consistency, type Destinations } from "../dist/client-reads.js";

const askAgainMs = 100;
const bytes = new Uint8Array(1);
const to: Destinations = { leader: 0, learner: 1 };
const observedBelow = 40;

function add(reads: ClientReads, consistency: Consistency, { now = 0, deadline = 1000 } = {}): number {
  return reads.add(bytes, consistency, deadline, now, observedBelow);
}

/** What is sent, one line each: `proposer-0 read 1`, `learner-1 query 2 once applied below 40`. */
function sent(reads: ClientReads, destinations = to): string[] {
  return reads.takeReady(destinations).send.map(({ to: [address], message }) => {
    if (message.type === "query")
      return `${address} query ${message.id} once applied below ${message.appliedBelow}`;
    return `${address} ${message.type} ${message.type === "read" ? message.id : ""}`;
  });
}

const ready = (id: number, readBelow: number) =>
  ({ type: "readReady", id, ballot: noBallot, readBelow, storageFull: false }) as const;

describe("ClientReads", () => {
  it("asks a learner at once for what this client has seen itself", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "sequential");
    expect(sent(reads)).toEqual(["learner-1 query 1 once applied below 40"]);
    expect(sent(reads)).toEqual([]);
    reads.answer({ type: "answer", id: 1, result: "r", appliedBelow: 50 });
    reads.answer({ type: "answer", id: 1, result: "again", appliedBelow: 50 });
    expect(reads.takeReady(to).answered).toEqual([{ id: 1, result: "r" }]);
    expect([reads.open, reads.deadline]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it("asks the leader once for all the reads of one turn", () => {
    const reads = new ClientReads(askAgainMs);
    for (let read = 0; read < 3; read++) add(reads, "linearizable");
    expect(sent(reads)).toEqual(["proposer-0 read 1"]);
    add(reads, "linearizable");
    expect(sent(reads)).toEqual(["proposer-0 read 2"]);
    reads.ready(ready(1, 60), 5, observedBelow);
    expect(sent(reads)).toEqual([1, 2, 3].map(id => `learner-1 query ${id} once applied below 60`));
    reads.ready(ready(1, 70), 6, observedBelow);
    expect(sent(reads)).toEqual([]);
  });

  it("never reads behind what this client has seen, whatever the leader says", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "linearizable");
    sent(reads);
    reads.ready(ready(1, 7), 5, 55);
    expect(sent(reads)).toEqual(["learner-1 query 1 once applied below 55"]);
  });

  it("asks the new leader again, and takes no answer of the old one for it", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "linearizable");
    add(reads, "sequential");
    sent(reads);
    reads.askAgain(10);
    expect(sent(reads, { ...to, leader: 1 })).toEqual(["proposer-1 read 2"]);
    reads.ready(ready(1, 60), 20, observedBelow);
    expect(sent(reads)).toEqual([]);
    reads.ready(ready(2, 61), 30, observedBelow);
    expect(sent(reads)).toEqual(["learner-1 query 1 once applied below 61"]);
  });

  it("tells of a learner that is silent, and asks the one that is asked then", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "sequential");
    sent(reads);
    expect(reads.deadline).toBe(askAgainMs);
    expect(reads.tick(askAgainMs - 1, to, "timeout")).toEqual({ leader: false, learner: false });
    expect(sent(reads)).toEqual([]);
    expect(reads.tick(askAgainMs, to, "timeout")).toEqual({ leader: false, learner: true });
    expect(sent(reads, { ...to, learner: 0 })).toEqual(["learner-0 query 1 once applied below 40"]);
    expect(reads.deadline).toBe(2 * askAgainMs);
  });

  it("asks the leader again when no learner answers: the log may never come as far as it has said", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "linearizable");
    sent(reads);
    reads.ready(ready(1, 60), 5, observedBelow);
    sent(reads);
    expect(reads.tick(5 + askAgainMs, to, "timeout")).toEqual({ leader: false, learner: true });
    expect(sent(reads)).toEqual(["proposer-0 read 2"]);
    expect(reads.tick(5 + 2 * askAgainMs, to, "timeout")).toEqual({ leader: true, learner: false });
    expect(sent(reads, { ...to, leader: 1 })).toEqual(["proposer-1 read 3"]);
    reads.ready(ready(3, 50), 210, observedBelow);
    expect(sent(reads)).toEqual(["learner-1 query 1 once applied below 50"]);
  });

  it("blames nobody who is asked at present for the silence of those who were asked before", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "sequential");
    add(reads, "linearizable");
    sent(reads);
    const others = { leader: 1, learner: 0 };
    expect(reads.tick(askAgainMs, others, "timeout")).toEqual({ leader: false, learner: false });
    expect(sent(reads, others)).toEqual(["learner-0 query 1 once applied below 40", "proposer-1 read 2"]);
  });

  it("tells once that a deadline has passed, and then takes no answer", () => {
    const reads = new ClientReads(askAgainMs);
    add(reads, "sequential", { deadline: 30 });
    add(reads, "linearizable", { deadline: 60 });
    sent(reads);
    expect(reads.deadline).toBe(30);
    reads.tick(30, to, "timeout");
    reads.answer({ type: "answer", id: 1, result: "late", appliedBelow: 50 });
    expect(reads.takeReady(to)).toMatchObject({
      answered: [],
      expired: [{ id: 1, reason: "timeout" }],
      send: [],
    });
    expect([reads.open, reads.deadline]).toEqual([1, 60]);
    reads.tick(60, to, "timeout");
    expect(reads.takeReady(to).expired).toEqual([{ id: 2, reason: "timeout" }]);
    expect(reads.takeReady(to).expired).toEqual([]);
  });

  it("forgets a read whose caller has gone, also before it was sent", () => {
    const reads = new ClientReads(askAgainMs);
    reads.forget(add(reads, "linearizable"));
    expect(sent(reads)).toEqual([]);
    const id = add(reads, "linearizable");
    sent(reads);
    reads.forget(id);
    reads.ready(ready(1, 60), 1, observedBelow);
    expect(sent(reads)).toEqual([]);
    expect(reads.open).toBe(0);
  });
});
