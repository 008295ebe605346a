import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { compareFigures, complaintOf, incomparable, parseMicroReport } from "../../dist/micro/comparison.js";
import { kindsNamed, microKinds, microNames } from "../../dist/micro/kinds.js";
import type { MicroFigure } from "../../dist/micro/run.js";
import { renderFigures, renderMicroComparisons } from "../../dist/micro/table.js";
import { hostHere, versionsHere } from "../../dist/results/host.js";
import { estimateOfRounds, lowerQuartile } from "../../dist/results/statistics.js";

const figure = (id: string, nanoseconds: number, spread = 2): MicroFigure => ({
  ...{ id, operation: `what ${id} does`, nanoseconds, spread, rounds: [nanoseconds] },
});

test("the interval of five rounds is that of Student's t", () => {
  const { mean, spread } = estimateOfRounds([8, 9, 10, 11, 12]);
  expect(mean).toBe(10);
  // The standard deviation is 1.5811, its standard error 0.7071, times 2.776 is 1.963.
  expect(spread).toBeCloseTo(19.63, 1);
  expect(estimateOfRounds([7, 7, 7, 7, 7])).toEqual({ mean: 7, spread: 0 });
});

test("a quarter of the values are not above the lower quartile", () => {
  expect(lowerQuartile([9, 1, 5, 3, 7])).toBe(3);
  expect(lowerQuartile([4])).toBe(4);
  expect(lowerQuartile([])).toBeNaN();
});

test("speeds are compared by identity, and only what is apart differs", () => {
  const old = [figure("codec/a", 100), figure("codec/b", 100), figure("codec/gone", 1)];
  const now = [figure("codec/a", 125), figure("codec/b", 103), figure("codec/new", 1)];
  const compared = compareFigures(old, now);
  expect(compared.map(({ id, differs }) => [id, differs])).toEqual([
    ["codec/a", true],
    ["codec/b", false],
  ]);
  expect(compared[0]?.speed).toBe(0.8);
  const text = stripVTControlCharacters(renderMicroComparisons(compared));
  expect(text).toMatch(/codec\/a +100 ns +125 ns +0\.80 x ±3%/);
  expect(text).toMatch(/codec\/b +100 ns +103 ns +no difference/);
});

test("slower is what is below the part of the old speed by more than noise", () => {
  const old = [figure("a", 100), figure("b", 100), figure("c", 100, 60), figure("d", 100)];
  const now = [figure("a", 125), figure("b", 108), figure("c", 150, 60), figure("d", 50)];
  const complaint = (failBelow: number) => complaintOf(compareFigures(old, now), "base.json", failBelow);
  expect(complaint(0.9)).toMatch(/^below 0\.9 x of the baseline: a \(0\.80 x\)\n.*micro --json base\.json$/);
  expect(complaint(0.95)).toMatch(/: a \(0\.80 x\), b \(0\.93 x\)\n/);
  expect(complaint(0.5)).toBeUndefined();
});

test("results of another CPU, size, platform or major version of Node are not comparable", () => {
  const machine = { ...hostHere(), cpuModel: "one", cores: 2 };
  const here = { machine, versions: { ...versionsHere(), node: "20.19.0" } };
  expect(incomparable(here, { ...here, versions: { ...here.versions, node: "20.20.2" } })).toEqual([]);
  const there = {
    machine: { ...machine, cpuModel: "two", cores: 64 },
    versions: { ...here.versions, node: "22.1.0" },
  };
  expect(incomparable(here, there)).toEqual([
    "CPU: one then, two now",
    "cores: 2 then, 64 now",
    "Node: 20 then, 22 now",
  ]);
});

test("a file that is no result is named, with how to write one", () => {
  for (const text of ["", "null", "{}", '{"kind":"micro"}']) {
    expect(() => parseMicroReport(text, "old.json")).toThrow(/^old\.json is not a result.*--json old\.json/);
  }
});

test("names are of operations and of groups", () => {
  expect(microNames.slice(0, 4)).toEqual(["codec", "mailbox", "core", "apply"]);
  expect(kindsNamed(undefined)).toEqual(microKinds);
  expect(kindsNamed(["core/merge", "apply"]).map(({ id }) => id)).toEqual([
    ...["core/merge", "apply/kv", "apply/replica"],
  ]);
});

test("the table says what takes how long, and what each operation is", () => {
  const figures = [figure("a", 12.34), figure("b", 12_345), figure("c", 12_345_678)];
  const text = stripVTControlCharacters(renderFigures(figures));
  expect(text).toMatch(/a +12\.3 ns +2\.0% +81,037,277\n/);
  expect(text).toMatch(/b +12\.3 us.*\nc +12\.3 ms.*\n\na: what a does\n/);
});

// Each checks by itself that the work was done.
test.each(microKinds.map(kind => [kind.id, kind] as const))("%s does what it says", async (_, kind) => {
  const task = await kind.open();
  try {
    for (const operations of [2, 64]) expect(await task.run(operations)).toBeGreaterThan(0);
  } finally {
    await task.close?.();
  }
});
