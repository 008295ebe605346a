import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchSize, batchesUnderWay } from "../dist/batch-size.js";

/** Fewer commands are not worth a message of their own. */
const fewest = 128;

describe("BatchSize", () => {
  it("is the cap when batches do not follow the load", () => {
    const size = new BatchSize({ commandsMax: 64, adaptive: false });
    for (const load of [0, 1, 1000]) expect(size.wanted(load)).toBe(64);
  });

  it("spreads the load over so many batches, none above the cap, and none that is not worth its message", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 5000 }), (load, commandsMax) => {
        const commands = new BatchSize({ commandsMax, adaptive: true }).wanted(load);
        expect(commands).toBeGreaterThanOrEqual(Math.min(fewest, commandsMax));
        expect(commands).toBeLessThanOrEqual(commandsMax);
        if (commands < commandsMax) expect(commands * batchesUnderWay).toBeGreaterThanOrEqual(load);
        if (commands > fewest) expect((commands - 1) * batchesUnderWay).toBeLessThan(load);
      }),
    );
  });

  it("keeps to the recent height of the load, and forgets it a little with each answer", () => {
    const size = new BatchSize({ commandsMax: 5000, adaptive: true });
    expect(size.wanted(1600)).toBe(400);
    expect(size.wanted(0)).toBe(400);
    size.answered(0);
    expect(size.wanted(0)).toBe(375);
    size.answered(1500);
    expect(size.wanted(1500)).toBe(375);
    for (let answer = 0; answer < 100; answer++) size.answered(0);
    expect(size.wanted(0)).toBe(fewest);
    expect(size.wanted(2000)).toBe(500);
  });
});
