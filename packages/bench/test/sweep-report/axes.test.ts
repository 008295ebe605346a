import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  compactNumber,
  logTicks,
  milliseconds,
  textWidth,
  thinned,
} from "../../dist/sweep-report/charts/axes.js";

const positive = fc.double({ min: 1e-4, max: 1e9, noNaN: true });
const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 1_000_000);
const runs = { numRuns: 500, seed };
beforeAll(() => console.log(`SYNOD_SEED=${seed}`));

test("ticks of a logarithmic axis ascend, cover all values, and are at least two", () => {
  fc.assert(
    fc.property(positive, positive, (a, b) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      const ticks = logTicks(min, max);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks[0]).toBeLessThanOrEqual(min * 1.0001);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * 0.9999);
      expect([...ticks].sort((x, y) => x - y)).toEqual(ticks);
    }),
    runs,
  );
  expect(logTicks(0.3, 4)).toEqual([0.2, 0.5, 1, 2, 5]);
  expect(logTicks(1, 1)).toEqual([1, 2]);
});

test("labels that are left do not touch, and the last one is among them", () => {
  const tick = fc.record({
    at: fc.double({ min: 0, max: 10, noNaN: true }),
    text: fc.constantFrom("1", "1,024", "adaptive"),
  });
  fc.assert(
    fc.property(fc.uniqueArray(tick, { minLength: 1, maxLength: 30, selector: ({ at }) => at }), ticks => {
      const kept = thinned(ticks, 300, [0, 10]);
      expect(kept.at(-1)).toEqual([...ticks].sort((a, b) => a.at - b.at).at(-1));
      kept.slice(1).forEach((right, index) => {
        const left = kept[index]!;
        const apart = (right.at - left.at) * 30;
        expect(apart).toBeGreaterThan((textWidth(left.text) + textWidth(right.text)) / 2);
      });
    }),
    runs,
  );
});

test("numbers are short and lose at most what three digits lose", () => {
  expect([0, 7, 999, 1000, 45_678, 999_499, 999_500, 1_263_232, 2e9].map(compactNumber)).toEqual([
    ...["0", "7", "999", "1k", "45.7k", "999k", "1M", "1.26M", "2G"],
  ]);
  expect([0.0123, 0.5, 12.34, 1234.5].map(milliseconds)).toEqual(["0.0123", "0.5", "12.3", "1,235"]);
});
