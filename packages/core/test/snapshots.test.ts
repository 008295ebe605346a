import { type Envelope, limits, unpinned } from "@synod/core";
import { describe, expect, it } from "vitest";
import { LogTail } from "../dist/log-tail.js";
import { SnapshotDuty } from "../dist/snapshot-duty.js";
import { StandIn } from "../dist/stand-in.js";
import { TrimRule } from "../dist/trim-rule.js";

describe("SnapshotDuty", () => {
  const duties = (policy: Partial<{ everyCommands: number; everyBytes: number }>) =>
    [0, 1, 2].map(
      index => new SnapshotDuty(3, index, { everyCommands: 1e9, everyBytes: 1e9, bytesMax: 1e9, ...policy }),
    );
  const due = (all: readonly SnapshotDuty[], now = 0) =>
    all.flatMap((duty, index) => (duty.isDue(now) ? [index] : []));

  it.each([{ everyCommands: 10 }, { everyBytes: 10 }])("is whose turn it is, by policy: %o", policy => {
    const all = duties(policy);
    const apply = (end: number, much: number) => {
      for (const duty of all) duty.applied(end, much, much);
    };
    apply(9, 9);
    expect(due(all)).toEqual([]);
    apply(10, 1);
    expect(due(all)).toEqual([0]);
    for (const duty of all) duty.noted({ learner: 0, instance: 10 });
    apply(20, 10);
    expect(due(all)).toEqual([1]);
  });

  it("passes on when the one is dead whose turn it is", () => {
    const all = duties({ everyCommands: 10 });
    for (const duty of all) duty.noted({ learner: 0, instance: 5 });
    for (const duty of all) duty.applied(15, 10, 0);
    expect(due(all)).toEqual([1]);
    for (const duty of all) duty.applied(20, 5, 0);
    expect(due(all)).toEqual([1, 2]);
    for (const duty of all) duty.applied(25, 5, 0);
    expect(due(all)).toEqual([0, 1, 2]);
  });

  it("waits twice as long after each failure, up to a limit, and not after a success", () => {
    const [duty] = duties({ everyCommands: 10 }) as [SnapshotDuty];
    duty.applied(10, 10, 0);
    for (let failure = 0; failure < 9; failure++) {
      const waitMs = limits.snapshotRetryMs * 2 ** Math.min(failure, limits.snapshotRetryDoublingsMax);
      duty.failed(1000);
      expect(duty.deadline).toBe(1000 + waitMs);
      expect(duty.isDue(999 + waitMs)).toBe(false);
      expect(duty.isDue(1000 + waitMs)).toBe(true);
    }
    duty.noted({ learner: 2, instance: 10 });
    expect(duty.deadline).toBe(Number.POSITIVE_INFINITY);
    duty.applied(20, 10, 0);
    expect(duty.isDue(0)).toBe(true);
  });

  it("does not count again what the newest snapshot holds", () => {
    const [duty] = duties({ everyCommands: 10 }) as [SnapshotDuty];
    duty.noted({ learner: 2, instance: 100 });
    duty.noted({ learner: 1, instance: 50 });
    duty.applied(100, 100, 0);
    expect(duty.isDue(0)).toBe(false);
    duty.applied(110, 10, 0);
    expect(duty.isDue(0)).toBe(true);
  });
});

describe("LogTail", () => {
  it("begins nowhere until there is enough of it", () => {
    const tail = new LogTail(100);
    expect(tail.firstInstance).toBe(0);
    tail.add(7, 5, 99);
    expect(tail.firstInstance).toBe(0);
    tail.add(12, 5, 1);
    expect(tail.firstInstance).toBe(7);
  });

  it("is as long as asked for, or a bit longer", () => {
    const tail = new LogTail(640);
    for (let instance = 0; instance < 5000; instance++) {
      tail.add(instance, 1, 3);
      const bytes = 3 * (instance + 1 - tail.firstInstance);
      if (instance < 220) continue;
      expect(bytes).toBeGreaterThanOrEqual(640);
      expect(bytes).toBeLessThanOrEqual(640 + 640 / 32);
    }
  });

  it("of no bytes begins at the end", () => {
    const tail = new LogTail(0);
    tail.add(0, 3, 50);
    tail.add(3, 4, 50);
    expect(tail.firstInstance).toBe(7);
  });

  it("begins again after a restore", () => {
    const tail = new LogTail(10);
    tail.add(0, 1, 10);
    tail.add(1, 1, 10);
    expect(tail.firstInstance).toBe(1);
    tail.clear();
    expect(tail.firstInstance).toBe(0);
    tail.add(90, 1, 10);
    expect(tail.firstInstance).toBe(90);
  });
});

describe("TrimRule", () => {
  it("allows what a learner relies on, as far as it is chosen, and takes nothing back", () => {
    const rule = new TrimRule(2);
    rule.reported(0, 50, unpinned, 0);
    expect(rule.below(40, 0)).toBe(40);
    expect(rule.below(90, 0)).toBe(50);
    // It starts again, and the other one has published nothing.
    rule.reported(0, 0, unpinned, 0);
    rule.reported(1, 10, unpinned, 0);
    expect(rule.below(90, 0)).toBe(50);
  });

  it("keeps what a learner will need after its snapshot, for a bounded time", () => {
    const rule = new TrimRule(2);
    rule.reported(0, 50, unpinned, 0);
    rule.reported(1, 0, 30, 0);
    expect(rule.below(90, 0)).toBe(30);
    rule.reported(1, 0, 30, limits.restorePinMs - 1);
    expect(rule.below(90, limits.restorePinMs - 1)).toBe(30);
    expect(rule.below(90, limits.restorePinMs)).toBe(50);
    rule.reported(1, 0, 50, limits.restorePinMs);
    rule.reported(0, 80, unpinned, limits.restorePinMs);
    expect(rule.below(90, limits.restorePinMs)).toBe(50);
    rule.reported(1, 0, unpinned, limits.restorePinMs);
    expect(rule.below(90, limits.restorePinMs)).toBe(80);
  });

  it("holds nothing back for a learner that died while it restored", () => {
    const rule = new TrimRule(3);
    rule.reported(2, 0, 5, 0);
    rule.reported(0, 50, unpinned, 0);
    expect(rule.below(90, limits.restorePinMs)).toBe(50);
  });

  it("without learners allows everything that is chosen", () => {
    expect(new TrimRule(0).below(90, 0)).toBe(90);
  });
});

describe("StandIn", () => {
  const said = (envelopes: readonly Envelope[]) =>
    envelopes.map(({ to, message }) => `${to} ${message.type === "standIn" && message.on}`);

  it("asks again within the time, and takes back", () => {
    const paused = new StandIn();
    paused.ask(2, 0);
    expect(said(paused.takeSend())).toEqual(["learner-2 true"]);
    expect(paused.deadline).toBeLessThan(limits.standInMs / 2);
    paused.tick(paused.deadline);
    expect(said(paused.takeSend())).toEqual(["learner-2 true"]);
    paused.takeBack(10);
    expect(said(paused.takeSend())).toEqual(["learner-2 false"]);
    expect(paused.deadline).toBe(Number.POSITIVE_INFINITY);
    paused.takeBack(20);
    expect(said(paused.takeSend())).toEqual([]);
  });

  it("asks nobody when nobody else lives, and one at a time", () => {
    const paused = new StandIn();
    paused.ask(undefined, 0);
    expect(said(paused.takeSend())).toEqual([]);
    paused.ask(1, 0);
    paused.ask(2, 10);
    expect(said(paused.takeSend())).toEqual(["learner-1 true", "learner-1 false", "learner-2 true"]);
  });

  it("answers for whoever asks, until it is asked to stop or is not asked again", () => {
    const other = new StandIn();
    other.asked(0, true, 0);
    other.asked(1, true, 0);
    other.asked(1, true, 100);
    expect([...other.answersFor]).toEqual([0, 1]);
    expect(other.deadline).toBe(limits.standInMs);
    other.tick(limits.standInMs);
    expect([...other.answersFor]).toEqual([1]);
    other.asked(1, false, limits.standInMs);
    expect([...other.answersFor]).toEqual([]);
    expect(other.deadline).toBe(Number.POSITIVE_INFINITY);
  });
});
