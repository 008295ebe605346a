import { ThresholdQuorums } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Flights } from "../dist/flights.js";
import { commands, sequencesOf } from "./support.js";

const quorums = new ThresholdQuorums(3);

/** Batches of these sizes from instance 0 on, sent at 10, 20, and so on. */
function fly(...counts: number[]): Flights {
  const flights = new Flights(quorums);
  let firstInstance = 0;
  counts.forEach((count, at) => {
    const batch = commands(firstInstance + 1, count);
    flights.add({ firstInstance, batch, source: null, isNew: at % 2 === 0 }, 10 * (at + 1));
    firstInstance += count;
  });
  return flights;
}

describe("Flights", () => {
  it("are let go of up to the first that no quorum has accepted, and forgotten below what is trimmed", () => {
    const step = fc.oneof(
      fc.record({ flight: fc.nat(5), acceptor: fc.nat(2) }),
      fc.record({ forget: fc.nat(20) }),
    );
    const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(counts, fc.array(step, { maxLength: 30, size: "max" }), (sizes, steps) => {
        const flights = fly(...sizes);
        const ends = sizes.map((_, at) => sizes.slice(0, at + 1).reduce((sum, count) => sum + count, 0));
        const voters = sizes.map(() => new Set<number>());
        const end = ends.at(-1) as number;
        let forgotten = 0;
        let chosenBelow = 0;
        for (const what of steps) {
          if ("forget" in what) {
            forgotten = Math.max(forgotten, Math.min(what.forget, end));
            flights.forget(forgotten);
          } else {
            const at = what.flight % sizes.length;
            const count = sizes[at] as number;
            voters[at]?.add(what.acceptor);
            flights.accepted(what.acceptor, { firstInstance: (ends[at] as number) - count, count });
          }
          chosenBelow = flights.dropChosen(chosenBelow);
          const open = ends.findIndex((to, at) => to > forgotten && (voters[at]?.size ?? 0) < 2);
          const below = open < 0 ? end : (ends[open] as number) - (sizes[open] as number);
          expect(chosenBelow).toBe(below);
          expect(flights.length).toBe(open < 0 ? 0 : sizes.length - open);
          const entries = flights.asEntries();
          expect(flights.commands).toBe(entries.reduce((sum, { count }) => sum + count, 0));
          const left = entries.flatMap(({ batch }) => sequencesOf(batch));
          const first = Math.max(below, forgotten);
          expect(left).toEqual(Array.from({ length: end - first }, (_, at) => first + at + 1));
        }
      }),
    );
  });

  it("are sent again as long as they have no quorum", () => {
    const flights = fly(2, 2, 2);
    const times = () => flights.unanswered.map(({ sentAt }) => sentAt);
    expect([times(), flights.oldestSentAt]).toEqual([[10, 20, 30], 10]);
    flights.accepted(0, { firstInstance: 2, count: 2 });
    expect(flights.accepted(1, { firstInstance: 2, count: 2 })).toBe(true);
    expect(times()).toEqual([10, 30]);
    for (const acceptor of [0, 1, 2]) flights.accepted(acceptor, { firstInstance: 0, count: 2 });
    expect(flights.oldestSentAt).toBe(30);
  });

  it("count an Accepted of exactly their instances, or of those that they had before they were cut", () => {
    const flights = fly(4);
    expect(flights.accepted(0, { firstInstance: 0, count: 3 })).toBe(false);
    expect(flights.accepted(1, { firstInstance: 1, count: 3 })).toBe(false);
    expect(flights.accepted(1, { firstInstance: 0, count: 4 })).toBe(false);
    flights.forget(2);
    expect(flights.commands).toBe(2);
    expect(flights.accepted(2, { firstInstance: 0, count: 4 })).toBe(true);
  });

  it("know what only this proposer may know of", () => {
    expect(
      fly(1, 2, 3)
        .newSegments()
        .map(segment => segment.count),
    ).toEqual([1, 3]);
  });
});
