import { type AcceptorSet, limits, type QuorumSystem, ThresholdQuorums } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Grants } from "../dist/grants.js";

/** Two rows of two: either row is enough for phase 2. */
const rows: QuorumSystem = {
  acceptors: 4,
  isAcceptQuorum: set => (set & 0b0011) === 0b0011 || (set & 0b1100) === 0b1100,
  isPrepareQuorum: set => (set & 0b0011) !== 0 && (set & 0b1100) !== 0,
};

const thresholds = fc
  .integer({ min: 1, max: 5 })
  .chain(acceptors => fc.integer({ min: 1, max: acceptors }).map(accept => ({ acceptors, accept })))
  .map(
    ({ acceptors, accept }): QuorumSystem =>
      new ThresholdQuorums(acceptors, { prepare: acceptors - accept + 1, accept }),
  );

/** The highest value that all members of any quorum have reached, looking at every set of acceptors. */
function reachedByAnyQuorum(quorums: QuorumSystem, values: readonly number[]): number {
  let reached = 0;
  for (let set: AcceptorSet = 0; set < 1 << quorums.acceptors; set++) {
    if (!quorums.isAcceptQuorum(set)) continue;
    reached = Math.max(reached, Math.min(...values.filter((_, acceptor) => (set & (1 << acceptor)) !== 0)));
  }
  return reached;
}

describe("Grants", () => {
  it("reach as far as those of a whole quorum, whatever the quorums are", () => {
    const grant = fc.record({ acceptor: fc.nat(4), until: fc.nat(50), round: fc.nat(9) });
    fc.assert(
      fc.property(fc.oneof(thresholds, fc.constant(rows)), fc.array(grant), (quorums, given) => {
        const grants = new Grants(quorums);
        const until = new Array<number>(quorums.acceptors).fill(0);
        const rounds = new Array<number>(quorums.acceptors).fill(0);
        for (const { acceptor: any, until: leaseUntil, round } of given) {
          const acceptor = any % quorums.acceptors;
          grants.granted(acceptor, leaseUntil, round);
          until[acceptor] = Math.max(until[acceptor] as number, leaseUntil);
          rounds[acceptor] = Math.max(rounds[acceptor] as number, round);
        }
        expect(grants.leaseUntil).toBe(reachedByAnyQuorum(quorums, until) - limits.clockSkewMs);
        expect(grants.round).toBe(reachedByAnyQuorum(quorums, rounds));
      }),
    );
  });

  it("of an earlier ballot count as the lease that they made, not one by one", () => {
    const grants = new Grants(new ThresholdQuorums(3), 400);
    expect(grants.leaseUntil).toBe(400);
    grants.granted(1, 500);
    expect(grants.leaseUntil).toBe(400);
    grants.granted(2, 600);
    expect(grants.leaseUntil).toBe(500 - limits.clockSkewMs);
  });

  it("of one acceptor are no lease, and the leader trusts a lease a little less than it was granted", () => {
    const grants = new Grants(new ThresholdQuorums(3));
    grants.granted(1, 500, 3);
    grants.granted(1, 700, 4);
    expect([grants.leaseUntil, grants.round]).toEqual([-limits.clockSkewMs, 0]);
    grants.granted(2, 600);
    expect([grants.leaseUntil, grants.round]).toEqual([600 - limits.clockSkewMs, 0]);
  });
});
