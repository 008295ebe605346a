import type { HeapProfiler, Profiler } from "node:inspector";
import { expect, test } from "vitest";
import { allocationsOf } from "../../dist/profile/allocations.js";
import { CpuProfile } from "../../dist/profile/cpu-profile.js";

const store = "file:///app/store.mjs";
const doorbell = "file:///app/doorbell.js";

type Frame = [
  id: number,
  name: string,
  url: string,
  line: number,
  children?: number[],
  ticks?: [number, number][],
];

/** A profile with a look every millisecond; ticks are lines from 1, as V8 has them. */
function profile(frames: readonly Frame[], samples: number[]): Profiler.Profile {
  const nodes = frames.map(([id, functionName, url, lineNumber, children = [], ticks = []]) => ({
    id,
    callFrame: { functionName, scriptId: "0", url, lineNumber, columnNumber: 2 },
    children,
    positionTicks: ticks.map(([line, count]) => ({ line, ticks: count })),
  }));
  const timeDeltas = samples.map((_, index) => (index === 0 ? 0 : 1000));
  return { nodes, startTime: 5_000_000, endTime: 5_000_000 + samples.length * 1000, samples, timeDeltas };
}

const example = profile(
  [
    [1, "(root)", "", -1, [2, 3, 6, 7, 9]],
    [2, "(idle)", "", -1],
    [
      3,
      "apply",
      store,
      9,
      [4, 5],
      [
        [12, 3],
        [13, 1],
      ],
    ],
    [4, "parse", "", -1],
    [5, "now", "node:internal/perf", 4],
    [6, "(garbage collector)", "", -1],
    [
      7,
      "sleep",
      doorbell,
      20,
      [],
      [
        [22, 3],
        [23, 1],
      ],
    ],
    [9, "post", "node:inspector", 3, [10]],
    [10, "dispatch", "", -1],
  ],
  [2, 2, 3, 3, 3, 3, 4, 5, 6, 7, 7, 7, 7, 10, 10],
);
const cpu = new CpuProfile(example, ({ url, line }) => url === doorbell && line === 21);

test("a thread is parked where it is idle and on lines that wait; what the profiler takes is nobody's", () => {
  const time = cpu.time();
  expect(time).toMatchObject({ totalMs: 13, parkedMs: 5, busyMs: 8, garbageMs: 1, programMs: 0 });
  expect(cpu.profilerMs).toBe(2);
});

test("what a function calls in the engine and in Node.js counts as its time, but not as that of its lines", () => {
  const [apply, sleep, ...others] = cpu.time().functions;
  expect(apply).toMatchObject({ name: "apply", at: { url: store, line: 9, column: 2 }, ms: 6 });
  expect(apply?.lines).toEqual([
    { line: 11, ms: 3 },
    { line: 12, ms: 1 },
  ]);
  expect(sleep).toMatchObject({ name: "sleep", ms: 1 });
  expect(others).toEqual([]);
});

test("a flame graph holds the busy time, and leaves out what nobody would see", () => {
  const frameOf = (name: string) => ({ name, kind: "program" }) as const;
  const all = cpu.flame(frameOf, 0);
  expect(all).toMatchObject({ name: "busy", value: 8 });
  expect(all.children.map(({ name, value }) => [name, value])).toEqual([
    ["apply", 6],
    ["(garbage collector)", 1],
    ["sleep", 1],
  ]);
  expect(all.children[0]?.children.map(({ name, value }) => [name, value])).toEqual([
    ["parse", 1],
    ["now", 1],
  ]);
  // A sixth of 13 ms.
  expect(cpu.flame(frameOf, 1 / 6).children.map(({ name }) => name)).toEqual(["apply"]);
});

test("frames of one name under one caller are one frame, in whichever order they come", () => {
  const twice = profile(
    [
      [1, "(root)", "", -1, [2, 3]],
      [2, "apply", store, 9, [], [[12, 1]]],
      [3, "apply", store, 9, [], [[12, 2]]],
    ],
    [2, 3, 3],
  );
  const flame = new CpuProfile(twice, () => false).flame(name => ({ name, kind: "program" }), 0);
  expect(flame.children).toMatchObject([{ name: "apply", value: 3 }]);
});

test("bytes belong to the nearest function in a file", () => {
  const frame = (functionName: string, url: string, lineNumber: number) => ({
    callFrame: { functionName, scriptId: "0", url, lineNumber, columnNumber: 0 },
  });
  const node = (
    of: ReturnType<typeof frame>,
    selfSize: number,
    ...children: HeapProfiler.SamplingHeapProfileNode[]
  ): HeapProfiler.SamplingHeapProfileNode => ({ ...of, selfSize, children });
  const head = node(
    frame("(root)", "", -1),
    8,
    node(frame("apply", store, 9), 100, node(frame("push", "", -1), 50), node(frame("get", store, 30), 400)),
    node(frame("apply", store, 9), 10),
  );
  expect(allocationsOf({ head }).map(({ name, bytes }) => [name, bytes])).toEqual([
    ["get", 400],
    ["apply", 160],
  ]);
});
