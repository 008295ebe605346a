import { limits } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Outstanding, type Settled, slot } from "../dist/outstanding.js";

const window = 8;
const bytes = new Uint8Array(1);
const resultOf = (sequence: number) => `result ${sequence}`;

interface Known {
  state: "waiting" | "abandoned" | "answered";
  readonly deadline: number;
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ deadlines: fc.array(fc.nat(100), { minLength: 1, maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ answer: fc.nat(40), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ abandon: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ expire: fc.nat(100) }) },
);

describe("Outstanding", () => {
  it("has no room while it keeps too many bytes, but for the submission that exceeds them", () => {
    const outstanding = new Outstanding(8);
    const half = new Uint8Array(limits.clientWindowBytesMax / 2);
    outstanding.submit(half, [1]);
    expect(outstanding.room).toBe(7);
    outstanding.submit(half, [1, 1]);
    expect(outstanding.room).toBe(0);
    outstanding.answer(1, ["a"], []);
    expect(outstanding.room).toBe(6);
  });

  it("keeps one deadline for all of a submission, also across the end of its ring", () => {
    const outstanding = new Outstanding(8);
    outstanding.submit(bytes, { length: 6, all: 10 });
    outstanding.answer(1, new Float64Array(6), []);
    expect(outstanding.earliestDeadline).toBe(Number.POSITIVE_INFINITY);
    outstanding.submit(bytes, { length: 5, all: 20 });
    expect(outstanding.earliestDeadline).toBe(20);
    const settled: Settled[] = [];
    outstanding.answer(8, Float64Array.of(8, 9), settled);
    expect(settled).toEqual([{ firstSequence: 8, results: Float64Array.of(8, 9) }]);
    expect(outstanding.expire(19)).toEqual([]);
    expect(outstanding.expire(20)).toEqual([7, 10, 11]);
    expect(outstanding.abandon(7)).toBe(false);
    outstanding.answer(7, Float64Array.from([7, 8, 9, 10, 11]), settled);
    expect(settled).toHaveLength(1);
    expect(outstanding.room).toBe(8);
  });

  it("settles, expires and frees numbers like a list of all that were ever used", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), steps => {
        const outstanding = new Outstanding(window);
        const known: Known[] = [];
        const ends: number[] = [];
        const of = (sequence: number) => known[sequence - 1];
        const oldest = () => {
          const first = known.findIndex(({ state }) => state !== "answered");
          return first < 0 ? known.length + 1 : first + 1;
        };
        for (const what of steps) {
          if ("deadlines" in what) {
            const deadlines = what.deadlines.slice(0, outstanding.room);
            if (deadlines.length === 0) continue;
            expect(outstanding.submit(bytes, deadlines).firstSequence).toBe(known.length + 1);
            for (const deadline of deadlines) known.push({ state: "waiting", deadline });
            ends.push(known.length + 1);
          } else if ("answer" in what) {
            const first = 1 + (what.answer % (known.length + 1));
            const count = Math.min(what.count, known.length + 1 - first);
            const sequences = Array.from({ length: count }, (_, at) => first + at);
            const awaited = sequences.filter(sequence => of(sequence)?.state === "waiting");
            const before = oldest();
            for (const sequence of sequences) (of(sequence) as Known).state = "answered";
            const settled: Settled[] = [];
            const moved = outstanding.answer(first, sequences.map(resultOf), settled);
            expect(moved).toBe(oldest() > before);
            const got = settled.flatMap(({ firstSequence, results }) =>
              Array.from(results).map((result, at) => [firstSequence + at, result]),
            );
            expect(got).toEqual(awaited.map(sequence => [sequence, resultOf(sequence)]));
          } else if ("abandon" in what) {
            outstanding.abandon(what.abandon);
            const found = of(what.abandon);
            if (found?.state === "waiting") found.state = "abandoned";
          } else {
            const late = known.filter(
              ({ state, deadline }) => state === "waiting" && deadline <= what.expire,
            );
            const expired: number[] = [];
            expired.push(...outstanding.expire(what.expire));
            expect(expired).toEqual(late.map(one => known.indexOf(one) + 1));
            for (const one of late) one.state = "abandoned";
          }
          const waiting = known.filter(({ state }) => state === "waiting");
          expect(outstanding.oldest).toBe(oldest());
          expect(outstanding.count + outstanding.room).toBe(window);
          expect(outstanding.count).toBe(known.length + 1 - oldest());
          expect(outstanding.earliestDeadline).toBeLessThanOrEqual(
            Math.min(...waiting.map(({ deadline }) => deadline)),
          );
          expect(outstanding.submissions.map(({ firstSequence, count }) => firstSequence + count)).toEqual(
            ends.filter(end => end > oldest()),
          );
        }
      }),
    );
  });

  it("has no deadline when nothing is outstanding", () => {
    const outstanding = new Outstanding(window);
    outstanding.submit(bytes, [5, 6]);
    expect(outstanding.earliestDeadline).toBe(5);
    outstanding.answer(1, ["a", "b"], []);
    expect(outstanding.earliestDeadline).toBe(Number.POSITIVE_INFINITY);
    expect([outstanding.of(1), outstanding.of(3)]).toEqual([slot.answered, slot.answered]);
  });

  it("takes no more than its window", () => {
    const outstanding = new Outstanding(2);
    expect(() => outstanding.submit(bytes, [1, 1, 1])).toThrow("fits into the window");
    expect(() => new Outstanding(6)).toThrow("power of two");
  });
});
