import { InstanceRanges } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

interface Marked {
  readonly firstInstance: number;
  readonly count: number;
  /** Where the first instance stands in its source. */
  readonly offset: number;
  readonly rank: number;
}

const slice = ({ firstInstance, offset, rank }: Marked, skip: number, count: number): Marked => ({
  firstInstance: firstInstance + skip,
  count,
  offset: offset + skip,
  rank,
});
const higher = (existing: Marked, incoming: Marked) => (incoming.rank > existing.rank ? incoming : existing);

/** One entry per instance. */
function spread(ranges: Iterable<Marked>): Map<number, string> {
  const found = new Map<number, string>();
  for (const { firstInstance, count, offset, rank } of ranges) {
    for (let at = 0; at < count; at++) {
      expect(found.has(firstInstance + at)).toBe(false);
      found.set(firstInstance + at, `${rank}:${offset + at}`);
    }
  }
  return found;
}

const operation = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    first: fc.integer({ min: 0, max: 40 }),
    count: fc.integer({ min: 1, max: 9 }),
    rank: fc.integer({ min: 0, max: 5 }),
  }),
  fc.record({ kind: fc.constant("drop" as const), below: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ kind: fc.constant("shift" as const) }),
);

describe("InstanceRanges", () => {
  it.each([0, 2 ** 31 - 20, 2 ** 32 - 20, 2 ** 45])("equals a map of instances from %i on", origin => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), operations => {
        const ranges = new InstanceRanges<Marked>(slice);
        const plain = new Map<number, { rank: number; offset: number }>();
        for (const step of operations) {
          if (step.kind === "put") {
            const firstInstance = origin + step.first;
            ranges.put({ firstInstance, count: step.count, offset: 0, rank: step.rank }, higher);
            for (let offset = 0; offset < step.count; offset++) {
              const known = plain.get(firstInstance + offset);
              if (known === undefined || step.rank > known.rank) {
                plain.set(firstInstance + offset, { rank: step.rank, offset });
              }
            }
          } else if (step.kind === "drop") {
            ranges.dropBelow(origin + step.below);
            for (const at of [...plain.keys()]) if (at < origin + step.below) plain.delete(at);
          } else {
            const first = ranges.shift();
            for (let at = 0; at < (first?.count ?? 0); at++) plain.delete((first?.firstInstance ?? 0) + at);
          }
          const expected = new Map([...plain].map(([at, { rank, offset }]) => [at, `${rank}:${offset}`]));
          expect(spread(ranges.from(origin))).toEqual(expected);
          expect(ranges.length === 0).toBe(plain.size === 0);
        }
      }),
    );
  });

  it("stays right while a long log comes and goes", () => {
    const ranges = new InstanceRanges<Marked>(slice);
    for (let at = 0; at < 1000; at++) {
      ranges.put({ firstInstance: at * 3, count: 3, offset: 0, rank: 1 }, higher);
      if (at >= 10) expect(ranges.shift()?.firstInstance).toBe((at - 10) * 3);
    }
    expect(ranges.length).toBe(10);
    ranges.dropBelow(2980);
    expect(ranges.first()).toEqual({ firstInstance: 2980, count: 2, offset: 1, rank: 1 });
  });
});
