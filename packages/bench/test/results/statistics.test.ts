import { Random } from "@synod/core/testing";
import { expect, test } from "vitest";
import { noiseOf, ratioOfPairs, ratioOfSamples } from "../../dist/results/statistics.js";

const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 1_000_000);

/** A standard normal draw (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction());
}

test("the interval of a ratio is that of a paired t-test of logarithms", () => {
  const { ratio, low, high, differs, count } = ratioOfPairs([110, 121, 110], [100, 110, 110]);
  const logs = [Math.log(1.1), Math.log(1.1), 0];
  const middle = (2 * Math.log(1.1)) / 3;
  const variance = logs.reduce((sum, log) => sum + (log - middle) ** 2, 0) / 2;
  const half = 4.303 * Math.sqrt(variance / 3);
  expect(ratio).toBeCloseTo(Math.exp(middle), 9);
  expect([low, high].map(Math.log)).toEqual([
    expect.closeTo(middle - half, 9),
    expect.closeTo(middle + half, 9),
  ]);
  expect([differs, count]).toEqual([false, 3]);
  expect(ratioOfPairs([220, 202, 198], [110, 100, 100])).toMatchObject({ differs: true });
});

test("one measurement of each, or none that succeeded, shows no difference", () => {
  expect(ratioOfPairs([200], [100])).toMatchObject({
    ratio: expect.closeTo(2, 9),
    low: 0,
    differs: false,
    count: 1,
  });
  expect(ratioOfSamples([200], [100, 100])).toMatchObject({
    ratio: expect.closeTo(2, 9),
    differs: false,
    count: 1,
  });
  expect(ratioOfPairs([0, 100], [100, 100]).differs).toBe(false);
  expect(() => ratioOfPairs([1, 2], [1])).toThrow("2 and 1 measurements are no pairs");
});

test("pairs see through a drift that samples do not see through", () => {
  const drift = [1, 1.5, 2, 2.5, 3, 3.5];
  const a = drift.map((by, at) => 105 * by * (1 + 0.001 * (at % 2)));
  const b = drift.map(by => 100 * by);
  expect(ratioOfPairs(a, b).differs).toBe(true);
  expect(ratioOfSamples(a, b).differs).toBe(false);
});

test("of equal things about one in twenty is said to differ, and its interval has the true ratio as often", () => {
  console.log(`SYNOD_SEED=${seed}`);
  const random = new Random(seed);
  const runs = 4000;
  const missed = { pairs: 0, samples: 0 };
  for (let run = 0; run < runs; run++) {
    const draw = (scale: number) => Array.from({ length: 6 }, () => scale * Math.exp(0.1 * normal(random)));
    const [a, b] = [draw(3), draw(2)];
    for (const [name, { low, high }] of [
      ["pairs", ratioOfPairs(a, b)],
      ["samples", ratioOfSamples(a, b)],
    ] as const) {
      if (low > 1.5 || high < 1.5) missed[name]++;
    }
  }
  // 5% of 4,000 is 200; five standard deviations are 69. Welch's freedom is rounded down: a little less.
  expect(missed.pairs).toBeGreaterThan(130);
  expect(missed.pairs).toBeLessThan(270);
  expect(missed.samples).toBeGreaterThan(90);
  expect(missed.samples).toBeLessThan(270);
});

test("noise is how far the same settings differ from one time to the next", () => {
  expect(noiseOf([[100], [200]])).toBeNull();
  const noise = noiseOf([[100, 110], [200, 200], [50]]);
  expect(noise).toMatchObject({ typicalPercent: expect.closeTo(5, 6), pairs: 2 });
  expect(noise!.largePercent).toBeCloseTo(9, 6);
});
