import { limits, type Message, Observer, type ObserverOptions, ThresholdQuorums } from "@synod/core";
import { describe, expect, it } from "vitest";
import { ballotOf, commands } from "./support.js";

const { followEveryMs, followedWithinMs, observerAheadBytesMax } = limits;
const fetchAfterMs = 50;

class Tested {
  readonly observer: Observer;

  constructor(more: Partial<ObserverOptions> = {}) {
    const topology = { proposers: 2, acceptors: 3, learners: 3 };
    const quorums = new ThresholdQuorums(3);
    this.observer = new Observer({ topology, quorums, feeder: 1, fetchAfterMs, ...more }, 0);
  }

  /** What it sends when it is woken, one line for each message. */
  tick(now: number): string[] {
    this.observer.tick(now);
    return this.sent();
  }

  receive(from: string, message: Message, now = 0): void {
    this.observer.receive(from, message, now);
  }

  followed(learner: number, chosenBelow: number, now: number): void {
    this.receive(`learner-${learner}`, { type: "followed", chosenBelow }, now);
  }

  sent(): string[] {
    return this.observer
      .takeReady()
      .send.map(({ to, message }) => `${to.join(",")}: ${describeSent(message)}`);
  }

  /** First instances of what it hands on. */
  chosen(): number[] {
    return this.observer.takeReady().chosen.map(({ firstInstance }) => firstInstance);
  }
}

function describeSent(message: Message): string {
  switch (message.type) {
    case "follow":
      return `follow from ${message.appliedBelow}${message.feed ? ", feed" : ""}`;
    case "fetch":
      return `fetch from ${message.firstInstance}`;
    case "progress":
      return `progress ${message.stuck ? "stuck" : "well"}`;
    default:
      return message.type;
  }
}

const chosen = (firstInstance: number, count = 2, bytes?: number): Message => {
  const batch = commands(firstInstance + 1, count);
  const segments = batch.segments.map(segment =>
    bytes === undefined ? segment : { ...segment, bytes: new Uint8Array(bytes) },
  );
  const ballot = ballotOf(1, 0);
  return { type: "chosen", ballot, firstInstance, count, batch: { ...batch, segments } };
};

function accepted(firstInstance: number): Message {
  const more = { source: null, leaseUntil: 0, distinguished: -1 };
  const batch = commands(firstInstance + 1, 2);
  return { type: "accepted", ballot: ballotOf(1, 0), firstInstance, count: 2, batch, ...more };
}

describe("an observer", () => {
  it("says at once and again and again that it is there, and asks one learner to feed it", () => {
    const tested = new Tested();
    expect(tested.tick(0)).toEqual(["learner-1: follow from 0, feed", "learner-0,learner-2: follow from 0"]);
    expect(tested.observer.deadline).toBe(followEveryMs);
    tested.followed(1, 0, 10);
    tested.observer.applied(5);
    expect(tested.tick(followEveryMs)).toEqual([
      "learner-1: follow from 5, feed",
      "learner-0,learner-2: follow from 5",
    ]);
  });

  it("hands on what its feeder tells, in order, and says nothing of its progress", () => {
    const tested = new Tested();
    tested.tick(0);
    tested.receive("learner-1", chosen(2), 1);
    expect(tested.chosen()).toEqual([]);
    tested.receive("learner-1", chosen(0), 2);
    expect(tested.chosen()).toEqual([0, 2]);
    expect(tested.observer.chosenBelow).toBe(4);
    for (let now = 10; now < followEveryMs; now += 10) expect(tested.tick(now)).toEqual([]);
  });

  it("takes the next learner when its feeder is silent for too long", () => {
    const tested = new Tested();
    tested.tick(0);
    tested.tick(followedWithinMs - 1);
    expect(tested.observer.feeder).toBe("learner-1");
    const sent = tested.tick(Math.max(followedWithinMs, tested.observer.deadline));
    expect(sent[0]).toBe("learner-2: follow from 0, feed");
    expect(tested.observer.feeder).toBe("learner-2");
  });

  it("keeps a feeder that tells what is chosen, though its answers get lost", () => {
    const tested = new Tested();
    for (let now = 0; now < 4 * followedWithinMs; now += 100) {
      tested.tick(now);
      tested.receive("learner-1", chosen(now / 50), now + 1);
    }
    expect(tested.observer.feeder).toBe("learner-1");
  });

  it("takes the next one when its feeder knows less than it has applied itself", () => {
    const tested = new Tested();
    tested.receive("learner-1", chosen(0, 8), 0);
    tested.observer.applied(8);
    tested.tick(0);
    // Others may be behind: they do not feed it.
    tested.followed(2, 3, 5);
    expect(tested.observer.feeder).toBe("learner-1");
    tested.followed(1, 8, 6);
    expect(tested.observer.feeder).toBe("learner-1");
    tested.tick(followEveryMs);
    tested.followed(1, 7, followEveryMs + 1);
    expect(tested.observer.feeder).toBe("learner-2");
    expect(tested.observer.toldBelow).toBe(8);
  });

  it("fetches what a learner knows and nobody has told, and counts the acceptors' votes itself", () => {
    const tested = new Tested();
    tested.tick(0);
    tested.followed(0, 2, 1);
    expect(tested.observer.deadline).toBe(1 + fetchAfterMs);
    expect(tested.tick(1 + fetchAfterMs)).toEqual(["acceptor-0,acceptor-1,acceptor-2: fetch from 0"]);
    tested.receive("acceptor-0", accepted(0), 60);
    expect(tested.chosen()).toEqual([]);
    tested.receive("acceptor-0", accepted(0), 61);
    expect(tested.chosen()).toEqual([]);
    tested.receive("acceptor-2", accepted(0), 62);
    expect(tested.chosen()).toEqual([0]);
  });

  it("fetches nothing while its host has no room", () => {
    const tested = new Tested();
    tested.tick(0);
    tested.followed(1, 2, 1);
    tested.observer.hold(true);
    expect(tested.observer.deadline).toBe(followEveryMs);
    expect(tested.tick(1 + fetchAfterMs)).toEqual([]);
    tested.observer.hold(false);
    expect(tested.tick(1 + fetchAfterMs)).toEqual(["acceptor-0,acceptor-1,acceptor-2: fetch from 0"]);
  });

  it("says that it is stuck when what is chosen cannot be had", () => {
    const tested = new Tested();
    tested.tick(0);
    tested.followed(1, 2, 1);
    const sent: string[] = [];
    for (let now = 1; now < 100 * fetchAfterMs; now = Math.max(now + 1, tested.observer.deadline)) {
      sent.push(...tested.tick(now));
      tested.followed(1, 2, now);
    }
    expect(sent.some(line => line.endsWith("progress stuck"))).toBe(true);
    expect(sent.some(line => line.endsWith("progress well"))).toBe(false);
  });

  it("wants a snapshot where the acceptors have trimmed, and goes on behind it", () => {
    const tested = new Tested();
    tested.receive("acceptor-0", { type: "trimmed", trimmedBelow: 100 });
    expect(tested.observer.takeReady().snapshotWanted).toBe(100);
    expect(tested.observer.trimmedBelow).toBe(100);
    tested.receive("learner-1", chosen(120), 1);
    tested.observer.restored(120, 2);
    const { snapshotWanted, chosen: handedOn } = tested.observer.takeReady();
    expect(snapshotWanted).toBeUndefined();
    expect(handedOn.map(({ firstInstance }) => firstInstance)).toEqual([120]);
    expect(tested.observer.chosenBelow).toBe(122);
  });

  it("keeps only so many bytes of what comes while something below is missing", () => {
    const tested = new Tested();
    const bytes = observerAheadBytesMax / 4;
    for (let index = 0; index < 6; index++) {
      tested.receive("learner-1", chosen(2 + 2 * index, 2, bytes), index);
    }
    tested.receive("learner-1", chosen(0), 10);
    const handedOn = tested.chosen();
    // With what an entry weighs besides, the fourth one is the last.
    expect(handedOn).toEqual([0, 2, 4, 6, 8]);
    // Nothing is missing any more: there is room again.
    tested.receive("learner-1", chosen(10, 2, bytes), 11);
    expect(tested.chosen()).toEqual([10]);
  });
});
