import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Election } from "../dist/election.js";
import { ballotOf } from "./support.js";

const leaseMs = 100;
const spreadMs = leaseMs / 4;

function election({ random = 0.5, index = 1, lease = leaseMs } = {}): Election {
  return new Election({ index, leaseMs: lease, random: () => random });
}

describe("Election", () => {
  it("has the first attempts a lease apart", () => {
    const at = [0, 1, 2].map(index => {
      const one = election({ index });
      one.start(5);
      return one.at;
    });
    expect(at).toEqual([5, 105, 205]);
  });

  it("has nobody stand by himself without leases", () => {
    const one = election({ lease: 0 });
    one.start(5);
    one.heard(ballotOf(1), 10);
    one.lost(20);
    expect(one.at).toBe(Number.POSITIVE_INFINITY);
  });

  it("waits until the leader's lease has run out, and a random while", () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(chance, fc.nat(1000), (random, leaseUntil) => {
        const one = election({ random });
        one.heard(ballotOf(1), leaseUntil);
        expect(one.at).toBeGreaterThanOrEqual(leaseUntil);
        expect(one.at).toBeLessThanOrEqual(leaseUntil + spreadMs);
      }),
    );
  });

  it("doubles the random while with each failure, up to two leases, until a leader is heard", () => {
    const one = election({ random: 0.5 });
    const delays = [1, 2, 3, 4, 5].map(() => {
      one.lost(1000);
      return one.at - 1000;
    });
    expect(delays).toEqual([25, 50, 100, 100, 100]);
    one.heard(ballotOf(1), 2000);
    expect(one.at).toBe(2000 + spreadMs / 2);
  });

  it("takes a leader for alive as long as its lease", () => {
    const one = election();
    expect(one.leader(0)).toBeUndefined();
    one.heard(ballotOf(3), 50);
    expect([one.leader(49), one.leader(50)]).toEqual([ballotOf(3), undefined]);
  });

  it("does not let a late message shorten a lease, but has a new leader replace the old one", () => {
    const one = election({ random: 0 });
    one.heard(ballotOf(3), 50);
    one.heard(ballotOf(3), 40);
    expect([one.at, one.leader(49), one.leader(50)]).toEqual([50, ballotOf(3), undefined]);
    one.heard(ballotOf(4, 0), 45);
    expect(one.lastLeader).toEqual(ballotOf(4, 0));
    expect([one.at, one.leader(44), one.leader(45)]).toEqual([45, ballotOf(4, 0), undefined]);
  });
});
