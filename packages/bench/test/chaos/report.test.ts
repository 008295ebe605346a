import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { throughputChart } from "../../dist/chaos/chart.js";
import { compare } from "../../dist/chaos/process-state.js";
import { type Recovery, RecoveryClock } from "../../dist/chaos/recovery.js";
import { renderReport } from "../../dist/chaos/report.js";
import { type ChaosResult, rateBetween, recoveryRows } from "../../dist/chaos/result.js";
import { faultKinds } from "../../dist/chaos/schedule.js";

test("a fault is over when every client was answered something that it called afterwards", () => {
  const recovered: Recovery[] = [];
  const clock = new RecoveryClock(recovery => recovered.push(recovery));
  clock.completed(1, 90, 100);
  clock.struck({ id: 1, calledAtMs: 100, struckAtMs: 110, clients: [1, 2, 3] });
  clock.completed(1, 105, 300);
  clock.completed(1, 290, 310);
  clock.completed(2, 400, 500);
  expect(clock.open).toEqual([1]);
  clock.ended(3);
  expect(recovered).toEqual([{ id: 1, firstMs: 210, everyMs: 400 }]);
  expect(clock.open).toEqual([]);
});

test("who tells of a fault late finds what was answered meanwhile", () => {
  const recovered: Recovery[] = [];
  const clock = new RecoveryClock(recovery => recovered.push(recovery));
  clock.completed(1, 100, 140);
  clock.completed(1, 120, 150);
  clock.completed(1, 160, 170);
  clock.struck({ id: 4, calledAtMs: 100, struckAtMs: 110, clients: [1] });
  expect(recovered).toEqual([{ id: 4, firstMs: 50, everyMs: 50 }]);
});

test("recovery is told by kind, without the faults that nobody has got over", () => {
  const fault = { kind: "kill-leader" as const, what: "", atMs: 0 };
  const rows = recoveryRows([
    { ...fault, firstMs: 500, everyMs: 700 },
    { ...fault, firstMs: 900, everyMs: 1000 },
    { ...fault, firstMs: null, everyMs: null },
    { ...fault, kind: "burst", firstMs: null, everyMs: null },
  ]);
  expect(rows).toEqual([
    { kind: "burst", faults: 1, firstMs: null, everyMs: null },
    { kind: "kill-leader", faults: 3, firstMs: { p50: 700, max: 900 }, everyMs: { p50: 850, max: 1000 } },
  ]);
});

test("the chart shows each gap as a blank, and marks faults in their line", () => {
  const commits = [...new Array<number>(10).fill(80), 80, 0, 0, 1, 40, 80];
  const text = stripVTControlCharacters(
    throughputChart(commits, 100, [{ atMs: 1100, what: "kill-leader proposer-0" }]),
  );
  const [head, first, second, ...rest] = text.split("\n");
  expect(head).toBe("commits/s, a block per 100 ms, the highest is 800");
  expect(first).toBe("    0 s ██████████       800");
  expect(second).toBe("    1 s █  ▁▅█           335  1.1 kill-leader proposer-0");
  expect(rest).toEqual([]);
});

test("a long run puts more time into each block", () => {
  const text = throughputChart(new Array<number>(36_000).fill(5), 100, []);
  expect(text.split("\n").length).toBeLessThanOrEqual(91);
  expect(text).toMatch(/^commits\/s, a block per 4000 ms, the highest is 50$/m);
});

test("threads, handles and memory that stay behind are named, and less than before is no leak", () => {
  const memory = { rss: 1, heap: 10_000_000, external: 1_000_000, arrayBuffers: 0 };
  const before = { threads: 11, handles: { Timeout: 1, MessagePort: 1 }, memory };
  expect(compare(before, before)).toEqual([]);
  expect(compare(before, { threads: 10, handles: {}, memory: { ...memory, rss: 2 ** 40 } })).toEqual([]);
  const after = { threads: 12, handles: { Timeout: 2, Worker: 1 }, memory: { ...memory, heap: 2 ** 30 } };
  expect(compare(before, after)).toEqual([
    "12 threads, before the run there were 11",
    "2 handles of the kind Timeout, before the run there were 1",
    "1 handles of the kind Worker, before the run there were 0",
    "1014.5 MB more heap memory than before the run",
  ]);
  expect(compare({ ...before, threads: null }, { ...after, handles: {}, memory })).toEqual([]);
});

const state = {
  threads: 11,
  handles: {},
  memory: { rss: 2 ** 26, heap: 2 ** 23, external: 0, arrayBuffers: 0 },
};
const result: ChaosResult = {
  options: {
    ...{ seed: 5, seconds: 3, clientThreads: 3, inFlight: 128, faults: faultKinds, everyMs: 1500 },
    ...{ leaseMs: 500, proposers: 2, acceptors: 3, learners: 2, snapshotEvery: 100_000 },
    threads: "isolated",
  },
  durationMs: 4000,
  interrupted: false,
  timeline: { bucketMs: 100, commits: new Array<number>(40).fill(10) },
  phases: [
    { name: "before", fromMs: 0, untilMs: 2000 },
    { name: "after", fromMs: 2000, untilMs: 4000 },
  ],
  faults: [{ kind: "kill-leader", what: "kill-leader proposer-0", atMs: 1500, firstMs: 600, everyMs: 750 }],
  counted: { called: 400, acknowledged: 399, notApplied: 0, unknown: 1, lost: 0, duplicated: 0 },
  checked: { operations: 50, unanswered: 1, histories: 6, notLinearizable: 0, undecided: 0 },
  errors: { TIMEOUT: 1 },
  unsettled: 0,
  lostWakeUps: 0,
  memory: [],
  before: state,
  after: state,
  violations: [],
};

test("the report says what was proved, and how fast it recovered", () => {
  const text = stripVTControlCharacters(renderReport(result));
  expect(text).toMatch(/^kill-leader +1 +600 +600 +1\.20 +1\.20 +750 +750$/m);
  expect(text).toMatch(/^before +0 +2 +100$/m);
  expect(text).toMatch(/^failures +TIMEOUT 1$/m);
  expect(text).toMatch(/^lost 0, duplicated 0, unsettled 0, non-linearizable 0, undecided 0$/m);
  expect(text.endsWith("nothing was broken")).toBe(true);
  expect(rateBetween(result.timeline.commits, 0, 4000)).toBe(100);
});

test("the report of a violation says how to replay it", () => {
  const text = stripVTControlCharacters(renderReport({ ...result, violations: ["cell 1/0 is odd:\nvery"] }));
  expect(text).toContain("1 violation:\n- cell 1/0 is odd:\n  very\n");
  expect(text).toMatch(/^pnpm chaos --seed 5 --seconds 3\b/m);
});
