import { ThresholdQuorums } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChosenEntry, VoteCount, votersOf } from "../dist/vote-count.js";
import { ballotOf, commands, sequencesOf } from "./support.js";

const instances = 8;
const quorums = new ThresholdQuorums(3);

/** The value of an instance in a ballot, as a sequence number. */
const sequenceIn = (round: number, instance: number) => round * 100 + instance;

/** One line per instance. */
function linesOf(chosen: readonly ChosenEntry[]): string[] {
  return chosen
    .flatMap(({ ballot, firstInstance, batch }) =>
      sequencesOf(batch).map((value, at) => `${firstInstance + at} is ${value} by ballot ${ballot.round}`),
    )
    .sort();
}

interface Told {
  readonly round: number;
  readonly firstInstance: number;
  readonly count: number;
  readonly acceptor: number | undefined;
  readonly withValue: boolean;
}

/** Looks at every instance and every ballot by itself. */
function countedOneByOne(all: readonly Told[], below: number): string[] {
  const lines: string[] = [];
  for (let instance = below; instance < instances; instance++) {
    const of = (round: number) =>
      all.filter(
        ({ round: other, firstInstance, count }) =>
          other === round && instance >= firstInstance && instance < firstInstance + count,
      );
    const votersIn = (round: number) =>
      new Set(of(round).flatMap(({ acceptor }) => (acceptor === undefined ? [] : [acceptor])));
    const isKnownIn = (round: number) => of(round).some(({ withValue }) => withValue);
    const rounds = [1, 2, 3];
    for (const round of rounds.filter(each => votersIn(each).size >= 2)) {
      const copies = isKnownIn(round)
        ? [round]
        : rounds.filter(higher => higher > round && votersIn(higher).size > 0 && isKnownIn(higher));
      for (const copy of copies)
        lines.push(`${instance} is ${sequenceIn(copy, instance)} by ballot ${round}`);
    }
  }
  return lines.sort();
}

const told: fc.Arbitrary<Told> = fc
  .record({
    round: fc.integer({ min: 1, max: 3 }),
    firstInstance: fc.nat(instances - 1),
    length: fc.nat(instances - 1),
    acceptor: fc.option(fc.nat(2), { nil: undefined }),
    withValue: fc.boolean(),
  })
  .map(({ length, ...rest }) => ({ ...rest, count: 1 + (length % (instances - rest.firstInstance)) }));

describe("VoteCount", () => {
  it("counts like somebody who looks at every instance and ballot by itself", () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 20, size: "max" }), fc.nat(instances - 1), (all, below) => {
        const votes = new VoteCount(quorums);
        for (const { round, firstInstance, count, acceptor, withValue } of all) {
          const batch = withValue ? commands(sequenceIn(round, firstInstance), count) : null;
          const tally = {
            firstInstance,
            count,
            voters: votersOf(acceptor),
            batch,
            source: null,
            announce: false,
          };
          expect(votes.add(ballotOf(round), tally)).toBeUndefined();
        }
        expect(linesOf(votes.chosen(0, instances))).toEqual(countedOneByOne(all, 0));
        votes.dropBelow(below);
        expect(linesOf(votes.chosen(0, instances))).toEqual(countedOneByOne(all, below));
      }),
    );
  });

  it("does not count a vote whose digest differs, and tells of it", () => {
    const votes = new VoteCount(quorums);
    const vote = (acceptor: number, digest: number, firstInstance = 4, count = 2) =>
      votes.add(ballotOf(1), {
        firstInstance: 4,
        count: 2,
        voters: votersOf(acceptor),
        batch: commands(1, 2),
        source: { firstInstance, count, digest },
        announce: false,
      });
    expect(vote(0, 77)).toBeUndefined();
    const mismatch = { ballot: ballotOf(1), firstInstance: 4, count: 2, expected: 77, found: 78 };
    expect(vote(1, 78)).toEqual(mismatch);
    expect(votes.chosen(0, instances)).toEqual([]);
    expect(vote(1, 77)).toBeUndefined();
    expect(linesOf(votes.chosen(0, instances))).toEqual(["4 is 1 by ballot 1", "5 is 2 by ballot 1"]);
  });

  it("compares digests of the same source batch only", () => {
    const votes = new VoteCount(quorums);
    const tally = { firstInstance: 4, count: 1, batch: commands(1, 1), announce: false };
    const sources = [
      { firstInstance: 4, count: 1, digest: 1 },
      { firstInstance: 3, count: 2, digest: 2 },
    ];
    sources.forEach((source, acceptor) => {
      expect(votes.add(ballotOf(1), { ...tally, voters: votersOf(acceptor), source })).toBeUndefined();
    });
    expect(votes.chosen(0, instances)).toHaveLength(1);
  });
});
