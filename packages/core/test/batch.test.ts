import {
  type Batch,
  ballotAbove,
  compareBallots,
  formatBallot,
  noBallot,
  type Segment,
  sliceBatch,
} from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const segment = fc.oneof(
  fc.record({ first: fc.integer({ min: 1, max: 2 ** 33 }), count: fc.integer({ min: 1, max: 5 }) }).map(
    ({ first, count }): Segment => ({
      kind: "commands",
      client: 1,
      session: 2,
      firstSequence: first,
      count,
      skip: 1,
      acknowledgedBelow: 1,
      answerer: 0,
      bytes: new Uint8Array(9),
    }),
  ),
  fc.integer({ min: 1, max: 4 }).map((count): Segment => ({ kind: "noop", count })),
  fc.constant<Segment>({ kind: "open", client: 3, count: 1, answerer: 0 }),
  fc.integer({ min: 1, max: 4 }).map(
    (count): Segment => ({
      kind: "fill",
      client: 1,
      session: 2,
      firstSequence: 2 ** 32 - 2,
      count,
      acknowledgedBelow: 1,
      answerer: 0,
    }),
  ),
);
const batch = fc.array(segment, { minLength: 1, maxLength: 6 }).map(
  (segments): Batch => ({
    timeMs: 5,
    count: segments.reduce((sum, { count }) => sum + count, 0),
    segments,
  }),
);

/** One text per instance. */
function spread({ segments }: Batch): string[] {
  return segments.flatMap(part =>
    Array.from({ length: part.count }, (_, at) => {
      const sequence = "firstSequence" in part ? part.firstSequence + at : -1;
      return `${part.kind} ${sequence} ${part.kind === "commands" ? part.skip + at : -1}`;
    }),
  );
}

describe("slices", () => {
  it("of slices are slices of the whole, and share its bytes", () => {
    const cuts = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(batch, cuts, (whole, [a, b, c, d]) => {
        const skip = a % whole.count;
        const count = 1 + (b % (whole.count - skip));
        const slice = sliceBatch(whole, skip, count);
        const innerSkip = c % count;
        const innerCount = 1 + (d % (count - innerSkip));
        const inner = sliceBatch(slice, innerSkip, innerCount);
        expect(inner.count).toBe(innerCount);
        expect(inner.timeMs).toBe(whole.timeMs);
        const from = skip + innerSkip;
        expect(spread(inner)).toEqual(spread(whole).slice(from, from + innerCount));
        const sources = whole.segments.map(part => (part.kind === "commands" ? part.bytes : undefined));
        for (const part of inner.segments)
          if (part.kind === "commands") expect(sources).toContain(part.bytes);
      }),
    );
  });

  it("must lie within the batch", () => {
    const whole: Batch = { timeMs: 0, count: 2, segments: [{ kind: "noop", count: 2 }] };
    for (const [skip, count] of [
      [-1, 1],
      [0, 0],
      [1, 2],
      [2, 1],
    ] as const) {
      expect(() => sliceBatch(whole, skip, count)).toThrow("a slice lies within its batch");
    }
  });
});

describe("ballots", () => {
  const ballot = fc.record({ round: fc.nat(4), incarnation: fc.nat(3), proposer: fc.nat(2) });

  it("are totally ordered", () => {
    fc.assert(
      fc.property(ballot, ballot, ballot, (a, b, c) => {
        expect(Math.sign(compareBallots(a, b))).toBe(-Math.sign(compareBallots(b, a)) + 0);
        expect(compareBallots(a, b) === 0).toBe(formatBallot(a) === formatBallot(b));
        if (compareBallots(a, b) <= 0 && compareBallots(b, c) <= 0)
          expect(compareBallots(a, c) <= 0).toBe(true);
        expect(compareBallots(a, noBallot)).toBeGreaterThan(0);
      }),
    );
  });

  it("are above what was seen, and differ between lives", () => {
    fc.assert(
      fc.property(ballot, seen => {
        expect(compareBallots(ballotAbove(seen, 0, 1), seen)).toBeGreaterThan(0);
        expect(compareBallots(ballotAbove(seen, 0, 1), ballotAbove(seen, 0, 2))).not.toBe(0);
      }),
    );
  });
});
