import { expect, test } from "vitest";
import { sampleInTurns, samplesPerLoad, warmUpSamples } from "../dist/sampling.js";

test("loads are sampled in turns, and their samples are in the order in which they were taken", async () => {
  const taken: string[] = [];
  // Neither rising nor falling, so that order is not what sorting makes of it.
  const rateAt = (sample: number): number => [3, 1, 2, 5, 4, 8, 7, 6, 9][sample]!;
  const loadOf = (id: string, factor: number) => {
    let samples = 0;
    return {
      id,
      load: {
        acknowledged: 0,
        slice: async () => {
          taken.push(id);
          return { commits: factor * rateAt(samples++), durationMs: 1000 };
        },
      },
    };
  };
  const sampled = await sampleInTurns(
    [loadOf("a", 1), loadOf("b", 10)],
    { clients: 1, seconds: 1 },
    () => undefined,
  );
  const all = samplesPerLoad + warmUpSamples;
  expect(taken).toEqual(Array.from({ length: 2 * all }, (_, at) => "ab"[at % 2]));
  const rates = Array.from({ length: samplesPerLoad }, (_, at) => rateAt(at + warmUpSamples));
  expect(sampled.get("a")?.samples).toEqual(rates);
  expect(sampled.get("b")?.samples).toEqual(rates.map(rate => 10 * rate));
});
