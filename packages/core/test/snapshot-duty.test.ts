import { describe, expect, test } from "vitest";
import { SnapshotDuty } from "../dist/snapshot-duty.js";
import { Upkeep } from "../dist/upkeep.js";

const policy = { everyCommands: 1000, everyBytes: 1000, bytesMax: 4000 };

/** Whether a snapshot is due after so many bytes more, a command each. */
function after(duty: SnapshotDuty, bytes: number): boolean {
  duty.applied(Number.MAX_SAFE_INTEGER, bytes, bytes);
  return duty.isDue(0);
}

describe("when a snapshot is due", () => {
  test("after so many commands or bytes, for the learner whose turn it is; later for the others", () => {
    const duties = [0, 1, 2].map(index => new SnapshotDuty(3, index, policy));
    for (const duty of duties) duty.noted({ learner: 0, instance: 7 });
    expect(duties.map(duty => after(duty, 999))).toEqual([false, false, false]);
    expect(duties.map(duty => after(duty, 1))).toEqual([false, true, false]);
    expect(duties.map(duty => after(duty, 500))).toEqual([false, true, true]);
    expect(duties.map(duty => after(duty, 500))).toEqual([true, true, true]);
  });

  test("one that is put off is due then", () => {
    const duty = new SnapshotDuty(1, 0, policy);
    duty.postpone(50);
    expect(after(duty, 1000)).toBe(false);
    expect(duty.deadline).toBe(50);
    duty.postpone(40);
    expect([49, 50].map(now => duty.isDue(now))).toEqual([false, true]);
  });

  test("a large state is written again once the log since weighs as much", () => {
    const duty = new SnapshotDuty(1, 0, policy);
    duty.noted({ learner: 0, instance: 7, bytes: 3000 });
    expect(after(duty, 2999)).toBe(false);
    expect(duty.deadline).toBe(Number.POSITIVE_INFINITY);
    expect(after(duty, 1)).toBe(true);
    expect(duty.deadline).toBe(0);
  });

  test("a state that is larger than what may be left to the log is written at that bound", () => {
    const duty = new SnapshotDuty(1, 0, policy);
    duty.noted({ learner: 0, instance: 7, bytes: 1e9 });
    expect(after(duty, 3999)).toBe(false);
    expect(after(duty, 1)).toBe(true);
  });

  test("a small state is written by the policy alone, however little the log weighs", () => {
    const duty = new SnapshotDuty(1, 0, policy);
    duty.noted({ learner: 0, instance: 7, bytes: 1000 });
    duty.applied(2000, 1000, 1);
    expect(duty.isDue(0)).toBe(true);
  });
});

describe("a learner that stands in for another", () => {
  const entry = { firstInstance: 0, count: 1 } as Parameters<Upkeep["applied"]>[0];

  function standingIn(): {
    upkeep: Upkeep;
    apply(bytes: number): void;
    replica: Parameters<Upkeep["tick"]>[0];
  } {
    const upkeep = new Upkeep({ learners: 2, index: 0, policy, tailBytes: 0 }, 0);
    const replica = { appliedBelow: 1, appliedCommands: 1, samples: undefined };
    upkeep.receive("learner-1", { type: "standIn", on: true }, replica, 0);
    return { upkeep, replica, apply: bytes => upkeep.applied(entry, bytes, replica, 0) };
  }

  test("takes no snapshot before the other is back, or silent for long", () => {
    const { upkeep, replica, apply } = standingIn();
    apply(2000);
    upkeep.tick(replica, 0);
    expect(upkeep.isSnapshotDue(0)).toBe(false);
    // It must not be told again and again of what it may not do.
    expect(upkeep.deadline).toBeGreaterThan(0);
    upkeep.receive("learner-1", { type: "standIn", on: false }, replica, 1);
    expect(upkeep.isSnapshotDue(1)).toBe(true);
    upkeep.receive("learner-1", { type: "standIn", on: true }, replica, 2);
    upkeep.tick(replica, 5001);
    expect(upkeep.isSnapshotDue(5001)).toBe(false);
    upkeep.tick(replica, 5002);
    expect(upkeep.isSnapshotDue(5002)).toBe(true);
  });

  test("takes one when the log becomes too long", () => {
    const { upkeep, apply } = standingIn();
    apply(3999);
    expect(upkeep.isSnapshotDue(0)).toBe(false);
    apply(1);
    expect(upkeep.isSnapshotDue(0)).toBe(true);
  });
});
