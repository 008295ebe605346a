import type { AcceptedEntry, PromiseMessage } from "@synod/core";
import { describe, expect, it } from "vitest";
import { addToRepair, repaired, startRepair } from "../dist/repair.js";
import { ballotOf, commands, entryOf, sequencesOf } from "./support.js";

const leader = ballotOf(9);

function promise(accepted: readonly AcceptedEntry[], more: Partial<PromiseMessage> = {}): PromiseMessage {
  return {
    type: "promise",
    ballot: leader,
    firstInstance: 10,
    trimmedBelow: 0,
    accepted,
    continuesAt: -1,
    ...more,
  };
}

const shown = (entries: readonly AcceptedEntry[]) =>
  entries.map(({ firstInstance, batch }) => `${firstInstance}: ${sequencesOf(batch)}`);

describe("a repair", () => {
  it("takes the values of the highest ballots, whoever tells first", () => {
    const repair = startRepair(10, 14, 0);
    addToRepair(repair, 0, promise([entryOf(ballotOf(1), 10, commands(1, 4))]));
    addToRepair(repair, 1, promise([entryOf(ballotOf(3), 11, commands(22, 2))]));
    addToRepair(repair, 2, promise([entryOf(ballotOf(2), 10, commands(31, 4))]));
    expect(shown(repaired(repair))).toEqual(["10: 31", "11: 22,23", "13: 34"]);
    expect(repair.told).toBe(0b111);
  });

  it("ends where what was left out ends, and where the shortest part does", () => {
    const repair = startRepair(10, 14, 0);
    addToRepair(repair, 0, promise([entryOf(ballotOf(1), 8, commands(1, 9))]));
    expect(shown(repaired(repair))).toEqual(["10: 3,4,5,6"]);
    addToRepair(repair, 1, promise([entryOf(ballotOf(1), 8, commands(1, 4))], { continuesAt: 12 }));
    expect(shown(repaired(repair))).toEqual(["10: 3,4"]);
  });

  it("counts each acceptor once", () => {
    const repair = startRepair(10, 14, 0);
    addToRepair(repair, 1, promise([entryOf(ballotOf(1), 10, commands(1, 2))]));
    addToRepair(repair, 1, promise([entryOf(ballotOf(1), 10, commands(1, 4))]));
    expect(repair.told).toBe(0b010);
    expect(shown(repaired(repair))).toEqual(["10: 1,2"]);
  });

  it("does not take what answers another question for an answer", () => {
    const repair = startRepair(10, 14, 0);
    addToRepair(repair, 0, promise([entryOf(ballotOf(1), 14, commands(1, 2))], { firstInstance: 14 }));
    addToRepair(repair, 1, promise([], { firstInstance: 9 }));
    expect(repair.told).toBe(0);
    expect(repaired(repair)).toEqual([]);
  });
});
