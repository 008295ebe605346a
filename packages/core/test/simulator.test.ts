import {
  counterNames,
  describeFailure,
  faultKinds,
  noCounters,
  type SimulationOptions,
  shortenFailure,
  simulate,
} from "@synod/core/testing";
import { describe, expect, it } from "vitest";

const fixedSeeds = 1000;
/** For so many runs on a machine that does something else as well, in milliseconds. */
const seedsTimeoutMs = 300_000;
const freshSeeds = 500;

/** Runs one seed; a failure is shortened and shown whole. */
function check(options: SimulationOptions) {
  const result = simulate(options);
  if (result.violation !== undefined) expect.fail(describeFailure(shortenFailure(result, options)));
  return result;
}

describe("the simulator", () => {
  const replay = process.env.SYNOD_SEED;

  if (replay !== undefined) {
    it(`replays seed ${replay}`, () => {
      check({ seed: Number(replay) });
    });
  }

  it(
    "finds nothing broken in the fixed seeds, and sees everything happen in them",
    () => {
      const total = noCounters();
      for (let seed = 1; seed <= fixedSeeds; seed++) {
        const { counters } = check({ seed });
        for (const name of counterNames) total[name] += counters[name];
      }
      for (const name of counterNames) expect(total[name], name).toBeGreaterThan(0);
    },
    seedsTimeoutMs,
  );

  it(
    "finds nothing broken in fresh seeds",
    () => {
      const base = Date.now() % 1_000_000_000;
      console.log(`fresh seeds ${base} to ${base + freshSeeds - 1}; replay one with SYNOD_SEED=N`);
      for (let seed = base; seed < base + freshSeeds; seed++) check({ seed });
    },
    seedsTimeoutMs,
  );

  it("does the same again from the same seed", () => {
    for (const seed of [7, 8, 9]) expect(simulate({ seed })).toEqual(simulate({ seed }));
  });

  it("settles without any faults", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { counters } = check({ seed, without: faultKinds, profile: { deadForEver: "nobody" } });
      expect(counters.drops + counters.duplicates + counters.crashes + counters.fills).toBe(0);
    }
  });
});
