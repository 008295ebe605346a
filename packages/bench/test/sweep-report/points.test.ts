import { expect, test } from "vitest";
import { parseResults } from "../../dist/results/reader.js";
import {
  beside,
  fastest,
  highlights,
  isAdaptive,
  labelOf,
  panelsOf,
  pointsOf,
  spread,
  varying,
} from "../../dist/sweep-report/points.js";
import { labelled } from "../../dist/sweep-report/run.js";
import { type Sample, sampleLines, textOf } from "./sample-results.js";

const filesOf = (...samples: readonly Sample[]) =>
  labelled(
    samples.map(sample => parseResults(Buffer.from(textOf(sampleLines(sample))), `${sample.seed}.jsonl`)),
  );
const pointsIn = (...samples: readonly Sample[]) => pointsOf(filesOf(...samples));

test("repeats of the same settings are one point, whose rate is their median", () => {
  const points = pointsIn({
    seed: 1,
    clients: [1, 16],
    batches: [8, "adaptive"],
    pipelines: [2],
    repeats: 3,
  });
  expect(points.map(({ rows }) => rows.length)).toEqual([3, 3, 3, 3]);
  for (const { rows, commitsPerSecond } of points) {
    expect(commitsPerSecond).toBe(rows.map(row => row.commitsPerSecond).sort((a, b) => a - b)[1]);
  }
});

test("points are told apart by what differs, numbers before words", () => {
  const points = pointsIn({ seed: 1, clients: [4096, 1], batches: ["adaptive", 64, 8], pipelines: [16] });
  expect(varying(points)).toEqual(["clients", "pipeline", "batch"]);
  expect(points.map(point => labelOf(point, varying(points)))).toEqual([
    ...["1 client, pipeline 16, batch 8", "1 client, pipeline 16, batch 64", "1 client, adaptive"],
    "4,096 clients, pipeline 16, batch 8",
    "4,096 clients, pipeline 16, batch 64",
    "4,096 clients, adaptive",
  ]);
});

test("files have letters when there are several, and stand side by side", () => {
  expect(new Set(pointsIn({ seed: 1 }).map(({ file }) => file))).toEqual(new Set([""]));
  const panels = panelsOf(pointsIn({ seed: 1, clients: [1, 16] }, { seed: 2, clients: [1, 16] }), [
    "batch",
    "pipeline",
  ]);
  expect(panels.map(({ label }) => label)).toEqual([
    "A, 1 client",
    "B, 1 client",
    "A, 16 clients",
    "B, 16 clients",
  ]);
  const others = beside(panels[2]!, panels, ["batch", "pipeline"]);
  expect(others.map(({ label }) => label)).toEqual(["A, 16 clients", "B, 16 clients"]);
});

test("open and closed loops are never one panel", () => {
  const panels = panelsOf(pointsIn({ seed: 1, clients: [256], rates: [1000, 2000] }), ["batch", "pipeline"]);
  for (const { points } of panels) expect(new Set(points.map(({ settings }) => settings.mode)).size).toBe(1);
});

test("highlights are the fastest of each group, and defaults while there is room", () => {
  const points = pointsIn({ seed: 1, clients: [1, 16, 256, 4096] });
  expect(highlights(points, points.length)).toEqual(points);
  const chosen = highlights(points, 6);
  expect(chosen).toHaveLength(6);
  expect(new Set(chosen.map(({ settings }) => settings.clients)).size).toBe(4);
  expect(chosen.some(isAdaptive)).toBe(true);
  for (const clients of [1, 16, 256, 4096]) {
    const group = points.filter(({ settings }) => settings.clients === clients);
    expect(chosen).toContain(fastest(group, 1, point => point.commitsPerSecond)[0]);
  }
  expect(new Set(highlights(points, 2).map(({ settings }) => settings.clients))).toEqual(new Set([1, 4096]));
});

test("a spread has both ends, in order and without repetition", () => {
  expect(spread([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([1, 4, 7]);
  expect(spread([1, 2], 3)).toEqual([1, 2]);
  expect(spread([1, 2, 3], 0)).toEqual([]);
  expect(spread([1, 2, 3], 1)).toEqual([1]);
});
