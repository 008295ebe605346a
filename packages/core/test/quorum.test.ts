import { addAcceptor, countAcceptors, majorities, quorumsIntersect, ThresholdQuorums } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** Every set of `size` out of `count`, as lists: slow, and plain to see that it is right. */
function subsets(count: number, size: number): number[][] {
  if (size === 0) return [[]];
  if (count < size) return [];
  const last = count - 1;
  return [...subsets(last, size), ...subsets(last, size - 1).map(rest => [...rest, last])];
}

const sizes = fc
  .integer({ min: 1, max: 6 })
  .chain(count =>
    fc.tuple(fc.constant(count), fc.integer({ min: 1, max: count }), fc.integer({ min: 1, max: count })),
  );

describe("quorums", () => {
  it("intersect exactly when no two disjoint ones exist", () => {
    fc.assert(
      fc.property(sizes, ([count, prepare, accept]) => {
        const always = subsets(count, prepare).every(first =>
          subsets(count, accept).every(second => first.some(member => second.includes(member))),
        );
        expect(quorumsIntersect(count, { prepare, accept })).toBe(always);
        const start = () => new ThresholdQuorums(count, { prepare, accept });
        if (always) expect(start).not.toThrow();
        else expect(start).toThrow("every phase-1 quorum meets every phase-2 quorum");
      }),
    );
  });

  it("count members, not messages", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 29 })), members => {
        let set = 0;
        for (const member of members) set = addAcceptor(set, member);
        const distinct = new Set(members).size;
        expect(countAcceptors(set)).toBe(distinct);
        const quorums = new ThresholdQuorums(30, { prepare: 20, accept: 11 });
        expect(quorums.isPrepareQuorum(set)).toBe(distinct >= 20);
        expect(quorums.isAcceptQuorum(set)).toBe(distinct >= 11);
      }),
    );
  });

  it("are majorities unless told otherwise", () => {
    expect([1, 2, 3, 4, 5].map(count => majorities(count).accept)).toEqual([1, 2, 2, 3, 3]);
  });

  it.each([
    [0, 1, 1],
    [31, 16, 16],
    [3, 0, 3],
    [3, 4, 1],
    [4, 2, 2],
  ])("%i acceptors with %i and %i are refused", (count, prepare, accept) => {
    expect(() => new ThresholdQuorums(count, { prepare, accept })).toThrow();
  });
});
