import { type CommandSegment, SessionTable } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const ballot = { round: 1, incarnation: 1, proposer: 0 };
const nextBallot = { round: 2, incarnation: 1, proposer: 0 };

function commands(firstSequence: number, count: number, acknowledgedBelow = 1): CommandSegment {
  const bytes = new Uint8Array(count);
  return {
    kind: "commands",
    client: 3,
    session: 40,
    firstSequence,
    count,
    skip: 0,
    acknowledgedBelow,
    answerer: 0,
    bytes,
  };
}

function opened(): SessionTable {
  const table = new SessionTable(1000);
  table.open(40, 3);
  return table;
}

describe("SessionTable", () => {
  it("knows only sessions that were opened", () => {
    const table = new SessionTable(1000);
    expect(table.admit(commands(1, 1), ballot)).toEqual({ kind: "unknownSession" });
    expect(table.size).toBe(0);
    table.open(40, 3);
    expect(table.admit(commands(1, 1), ballot)).toEqual({ kind: "apply", skip: 0 });
    table.close(40);
    expect(table.admit(commands(1, 1), ballot)).toEqual({ kind: "unknownSession" });
  });

  it("applies each number once, whatever part of a segment is old", () => {
    const table = opened();
    table.record(commands(1, 3), 1, ["a", "b", "c"]);
    expect(table.admit(commands(1, 3), ballot)).toEqual({ kind: "apply", skip: 3 });
    expect(table.admit(commands(2, 4), ballot)).toEqual({ kind: "apply", skip: 2 });
    expect(table.admit(commands(4, 1), ballot)).toEqual({ kind: "apply", skip: 0 });
  });

  it("reports a gap once per ballot and expected number", () => {
    const table = opened();
    expect(table.admit(commands(2, 1), ballot)).toEqual({ kind: "gap", expected: 1, first: true });
    expect(table.admit(commands(3, 1), ballot)).toEqual({ kind: "gap", expected: 1, first: false });
    expect(table.admit(commands(3, 1), nextBallot)).toEqual({ kind: "gap", expected: 1, first: true });
    table.record(commands(1, 1), 1, ["a"]);
    expect(table.admit(commands(3, 1), nextBallot)).toEqual({ kind: "gap", expected: 2, first: true });
  });

  it("keeps results until they are acknowledged, and gives parts of them", () => {
    const table = opened();
    table.record(commands(1, 3), 1, ["a", "b", "c"]);
    table.record(commands(4, 2), 4, ["d", "e"]);
    expect(table.stored(40, 2, 3)).toEqual([
      { firstSequence: 2, results: ["b", "c"] },
      { firstSequence: 4, results: ["d"] },
    ]);
    table.record(commands(6, 1, 4), 6, ["f"]);
    expect(table.stored(40, 1, 9)).toEqual([
      { firstSequence: 4, results: ["d", "e"] },
      { firstSequence: 6, results: ["f"] },
    ]);
  });

  it("finds what is asked for among many runs, however much is acknowledged", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 40, size: "max" });
    fc.assert(
      fc.property(lengths, fc.nat(100), fc.nat(100), fc.nat(60), (runs, acknowledgedBelow, first, count) => {
        const table = opened();
        let end = 1;
        const stored = runs.map((length, at) => {
          const from = end;
          end += length;
          const segment = commands(from, length, at === runs.length - 1 ? acknowledgedBelow : 1);
          const results = Array.from({ length }, (_, position) => from + position);
          table.record(segment, from, results);
          return results;
        });
        const wanted = stored
          .map(run =>
            run.filter(
              sequence => sequence >= acknowledgedBelow && sequence >= first && sequence < first + count,
            ),
          )
          .filter(run => run.length > 0)
          .map(run => ({ firstSequence: run[0], results: run }));
        expect(table.stored(40, first, count)).toEqual(wanted);
      }),
    );
  });

  it("forgets who was silent for longer than the time-out, and nobody else", () => {
    const table = new SessionTable(1000);
    table.open(40, 0);
    table.open(41, 400);
    table.open(42, 800);
    expect(table.touch(40, 900)).toBe(true);
    table.expire(1400);
    expect(table.size).toBe(3);
    table.expire(1401);
    expect([40, 41, 42].map(session => table.touch(session, 1401))).toEqual([true, false, true]);
    expect(table.admit(commands(1, 1), ballot)).toEqual({ kind: "apply", skip: 0 });
  });

  it("counts on beyond 2^32", () => {
    const table = opened();
    const last = 2 ** 32 - 2;
    table.record(commands(last, 1), last, ["x"]);
    expect(table.admit(commands(last, 4), ballot)).toEqual({ kind: "apply", skip: 1 });
    table.record(commands(last, 4), last + 1, ["y", "z", "w"]);
    expect(table.admit(commands(2 ** 32 + 2, 1), ballot)).toEqual({ kind: "apply", skip: 0 });
    expect(table.stored(40, 2 ** 32, 1)).toEqual([{ firstSequence: 2 ** 32, results: ["z"] }]);
  });

  it("goes on from its state as it would have by itself", () => {
    const step = fc.record({
      kind: fc.constantFrom("open", "close", "apply", "expire"),
      session: fc.nat(4),
      first: fc.integer({ min: 1, max: 8 }),
      count: fc.integer({ min: 1, max: 4 }),
      acknowledgedBelow: fc.nat(8),
      round: fc.nat(2),
    });
    type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
    const run = (
      table: SessionTable,
      { kind, session, first, count, acknowledgedBelow, round }: Step,
      at: number,
    ) => {
      const timeMs = at * 150;
      if (kind === "open") return table.open(session, timeMs);
      if (kind === "close") return table.close(session);
      if (kind === "expire") return table.expire(timeMs);
      const segment = { ...commands(first, count, acknowledgedBelow), session };
      table.touch(session, timeMs);
      const admission = table.admit(segment, { ...ballot, round });
      const stored = table.stored(session, first, count);
      if (admission.kind === "apply") {
        const results = Array.from({ length: count - admission.skip }, (_, position) => at * 10 + position);
        table.record(segment, first + admission.skip, results);
      }
      return { admission, stored };
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: "max" }), fc.nat(30), (steps, cut) => {
        const table = new SessionTable(1000);
        steps.slice(0, cut).forEach((next, at) => void run(table, next, at));
        const restored = new SessionTable(1000, table.state());
        steps.slice(cut).forEach((next, at) => {
          expect(run(restored, next, cut + at)).toEqual(run(table, next, cut + at));
          expect(restored.state()).toEqual(table.state());
        });
      }),
      { numRuns: 500 },
    );
  });
});
