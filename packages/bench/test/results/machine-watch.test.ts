import { expect, test } from "vitest";
import { parseThrottling } from "../../dist/results/control-group.js";
import { hostHere, versionsHere } from "../../dist/results/host.js";
import {
  busyBefore,
  type MachineCounts,
  MachineWatch,
  parseStolen,
  useBetween,
} from "../../dist/results/machine-watch.js";

const before: MachineCounts = {
  ...{ atMs: 0, cores: 4, busyMs: 1000, stolenMs: 100, ownMs: 500 },
  throttling: { periods: 7, throttledMs: 50 },
  loadAverage: [0, 0, 0],
};
/** A second later, in which nobody but this process worked. */
const after: MachineCounts = { ...before, atMs: 1000, busyMs: 3000, ownMs: 2500, loadAverage: [1, 2, 3] };

test("nobody but the measured process: nothing to warn of", () => {
  expect(useBetween(before, after)).toEqual({
    ...{ ownCores: 2, otherCores: 0, stolenCores: 0, throttledMs: 0 },
    loadAverage: [1, 2, 3],
    warnings: [],
  });
});

test("other programs, a hypervisor and a container's limit are told apart, each with a figure", () => {
  const others = useBetween(before, { ...after, busyMs: 3500 });
  expect(others.otherCores).toBe(0.5);
  expect(others.warnings).toEqual([expect.stringContaining("other programs took 0.50 of 4 cores")]);
  const stolen = useBetween(before, { ...after, stolenMs: 400 });
  expect(stolen.warnings).toEqual([expect.stringContaining("took 0.30 of 4 cores away")]);
  const throttled = useBetween(before, { ...after, throttling: { periods: 10, throttledMs: 300 } });
  expect(throttled.warnings).toEqual([expect.stringContaining("3 times, 25% of the time")]);
});

test("what a machine does not tell is not known, instead of nothing", () => {
  const silent = { stolenMs: null, throttling: null };
  const use = useBetween({ ...before, ...silent }, { ...after, ...silent });
  expect(use).toMatchObject({ stolenCores: null, throttledMs: null, warnings: [] });
});

test("the files of Linux are read as both versions of control groups write them", () => {
  expect(parseThrottling("nr_periods 9\nnr_throttled 3\nthrottled_usec 2500")).toEqual({
    ...{ periods: 3, throttledMs: 2.5 },
  });
  expect(parseThrottling("nr_periods 9\nnr_throttled 3\nthrottled_time 2500000")).toEqual({
    ...{ periods: 3, throttledMs: 2.5 },
  });
  expect(parseThrottling("usage_usec 5")).toBeNull();
  expect(parseStolen("cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10")).toBe(800);
  expect(parseStolen("cpu  1 2 3")).toBeNull();
});

test("a load of more than half the cores is told of", () => {
  expect(busyBefore([2, 9, 9], 4)).toBeNull();
  expect(busyBefore([2.1, 0, 0], 4)).toMatch("2.1 threads wanted its 4 cores");
});

test("this machine and what runs on it are known", () => {
  expect(hostHere()).toMatchObject({ cores: expect.any(Number), cpuModel: expect.stringMatching(/./) });
  const { git, ...versions } = versionsHere();
  for (const version of Object.values(versions)) expect(version).toMatch(/^\d+\.\d+/);
  expect(git ?? "0123456789ab").toMatch(/^[0-9a-f]{12}\+?$/);
  const watch = new MachineWatch();
  const use = watch.read();
  expect(use.otherCores).toBeGreaterThanOrEqual(0);
  expect(use.loadAverage).toHaveLength(3);
});
