import { commandsPerBatch } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesUnderWay } from "../dist/batch-size.js";

describe("commandsPerBatch", () => {
  it("is the cap when batches do not follow the load", () => {
    for (const load of [0, 1, 1000])
      expect(commandsPerBatch(load, { commandsMax: 64, adaptive: false })).toBe(64);
  });

  it("spreads the load over so many batches, never more than the cap and never nothing", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 5000 }), (load, commandsMax) => {
        const commands = commandsPerBatch(load, { commandsMax, adaptive: true });
        expect(commands).toBeGreaterThanOrEqual(1);
        expect(commands).toBeLessThanOrEqual(commandsMax);
        if (commands < commandsMax) expect(commands * batchesUnderWay).toBeGreaterThanOrEqual(load);
        if (commands > 1) expect((commands - 1) * batchesUnderWay).toBeLessThan(load);
      }),
    );
  });
});
