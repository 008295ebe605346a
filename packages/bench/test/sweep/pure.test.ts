import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { keyOf, type Settings } from "../../dist/results/format.js";
import { batchSettings } from "../../dist/sweep/cluster-options.js";
import { cpuShares } from "../../dist/sweep/cpu-shares.js";
import { checkCsv, csvOf } from "../../dist/sweep/csv.js";
import { cellsOf, shapeKey } from "../../dist/sweep/grid.js";
import { gridDefault, integersAsGiven, integersOr, wordsAmong } from "../../dist/sweep/options.js";
import { judgedLoads, planOf, remaining, remainingPairs } from "../../dist/sweep/plan.js";
import { leftText } from "../../dist/sweep/progress.js";
import { openResults } from "../../dist/sweep/result-file.js";
import { combined } from "../../dist/sweep/stage-medians.js";
import { renderSweep } from "../../dist/sweep/text.js";
import { bestOfLoads, bestPair, comparisonsOf } from "../../dist/sweep/verdict.js";
import { rowOf, settings } from "./rows.js";

const grid = { ...gridDefault, clients: [1, 256], batch: [1, 64], pipeline: [4] };
const standard = { batch: "adaptive", pipeline: "adaptive" } as const;

test("a grid is everything combined with everything, and the default at every load", () => {
  const { cells, leftOut } = cellsOf({ ...grid, rate: [1000], acceptors: [3, 5] });
  expect(cells).toHaveLength(3 * 2 * (2 + 1));
  expect(new Set(cells.map(keyOf)).size).toBe(cells.length);
  expect(leftOut).toEqual([]);
  expect(cells.filter(({ mode }) => mode === "open")).toHaveLength(6);
  expect(cells).toContainEqual({ ...settings, ...standard, clients: 1, acceptors: 5 });
  const twice = cellsOf({ ...grid, batch: ["adaptive"], pipeline: ["adaptive"] });
  expect(twice.cells).toHaveLength(2);
});

test("combinations that cannot be are left out, with the reason", () => {
  const { cells, leftOut } = cellsOf({ ...grid, mailbox: ["ring", "port"], clientThreads: [0, 2] });
  expect(cells.some(({ mailbox, clientThreads }) => mailbox === "port" && clientThreads > 0)).toBe(false);
  expect(cells.some(({ clients, clientThreads }) => clients < clientThreads)).toBe(false);
  expect(leftOut).toHaveLength(2);
});

test("every cell is measured once in each round, on the cluster of its shape; the order is the seed's", () => {
  const { cells } = cellsOf({ ...gridDefault, payload: [0, 100] });
  const plan = planOf(cells, 3, 7);
  const steps = plan.flat();
  expect(steps).toHaveLength(cells.length * 3);
  expect(steps.map(({ repeat }) => repeat)).toEqual(steps.map((_, at) => Math.floor(at / cells.length)));
  for (const visit of plan) expect(new Set(visit.map(step => shapeKey(step.settings))).size).toBe(1);
  const order = (seed: number) => JSON.stringify(planOf(cells, 3, seed));
  expect(order(7)).toBe(order(7));
  expect(order(8)).not.toBe(order(7));
  const rounds = [0, 1].map(round =>
    JSON.stringify(steps.slice(round * cells.length, (round + 1) * cells.length).map(step => step.settings)),
  );
  expect(rounds[0]).not.toBe(rounds[1]);
});

test("what is measured already is not measured again, and the rest keeps its order", () => {
  const { cells } = cellsOf(grid);
  const plan = planOf(cells, 2, 1);
  const steps = plan.flat();
  const rows = steps.slice(0, 4).map(({ settings, repeat }) => rowOf(settings, 1, { repeat, stage: "grid" }));
  expect(remaining(plan, rows).flat()).toEqual(steps.slice(4));
  // A row of the comparison is none of the grid.
  const finals = rows.map(row => ({ ...row, stage: "final" as const }));
  expect(remaining(plan, finals).flat()).toEqual(steps);
  expect(
    remaining(
      plan,
      steps.map(step => rowOf(step.settings, 1, { repeat: step.repeat })),
    ),
  ).toEqual([]);
});

test("the comparison is at all clients and rates, with the first of everything else", () => {
  const { cells } = cellsOf({ ...grid, rate: [500], payload: [0, 9], acceptors: [5, 3] });
  const loads = judgedLoads(cells);
  expect(loads.map(({ clients, ratePerSecond }) => ratePerSecond ?? clients)).toEqual([1, 256, 500]);
  expect(loads.every(({ payloadBytes, acceptors }) => payloadBytes === 0 && acceptors === 5)).toBe(true);
  const pair = { batch: 64, pipeline: 4 } as const;
  const done = rowOf({ ...loads[1], ...pair }, 1, { repeat: 0, stage: "final" });
  const left = remainingPairs(loads, pair, 2, [done]);
  expect(left.map(({ repeat, settings: { clients } }) => [repeat, clients])).toEqual([
    ...[
      [0, 1],
      [0, 0],
      [1, 1],
      [1, 256],
      [1, 0],
    ],
  ]);
});

const twoLoads = (one: Partial<Settings>, at256: number, at1: number) => [
  rowOf({ ...one, clients: 256 }, at256),
  rowOf({ ...one, clients: 1 }, at1),
];

test("the best pair keeps most of each load's best, and is never the default", () => {
  const rows = [
    ...twoLoads({ batch: 1 }, 500, 100),
    ...twoLoads({ batch: 64 }, 950, 95),
    ...twoLoads({ batch: 1024 }, 1000, 10),
    ...twoLoads(standard, 2000, 200),
  ];
  expect(bestPair(rows)).toEqual({ batch: 64, pipeline: 4 });
  expect(bestPair(twoLoads(standard, 1, 1))).toBeNull();
  expect(bestOfLoads(rows).map(({ best }) => [best.settings.clients, best.settings.batch])).toEqual([
    [1, "adaptive"],
    [256, "adaptive"],
  ]);
  // One that was not measured at every load cannot be the best at all of them.
  expect(bestPair([...rows, rowOf({ batch: 16, clients: 256 }, 9999)])).toEqual({ batch: 64, pipeline: 4 });
});

test("at a fixed rate the shorter 99th percentile is better", () => {
  const open = { mode: "open", ratePerSecond: 1000, clients: 0 } as const;
  const rows = [rowOf({ ...open, batch: 1 }, 1000, { p99: 9000 }), rowOf(open, 999, { p99: 3000 })];
  expect(bestPair(rows)).toEqual({ batch: 64, pipeline: 4 });
});

const finals = (best: readonly number[], beside: readonly number[]) =>
  best.flatMap((rate, repeat) => [
    rowOf({}, rate, { repeat, stage: "final" }),
    rowOf(standard, beside[repeat]!, { repeat, stage: "final" }),
  ]);

test("only rows of the comparison judge the pair that rows of the grid have chosen", () => {
  const lucky = [rowOf({}, 9000), rowOf(standard, 1000)];
  expect(comparisonsOf(lucky)).toEqual([]);
  const [comparison] = comparisonsOf([...lucky, ...finals([1000, 1100, 990], [1010, 1080, 1000])]);
  expect(comparison?.ratio).toMatchObject({ count: 3, differs: false });
  const [better] = comparisonsOf(finals([2000, 2100, 1990], [1010, 1080, 1000]));
  expect(better?.ratio).toMatchObject({ count: 3, differs: true });
});

test("the text says no difference where there is none, and gives the setting to copy", () => {
  const text = (rows: Parameters<typeof renderSweep>[0]) => stripVTControlCharacters(renderSweep(rows));
  const chosen = [rowOf({}, 1000), rowOf({}, 1100, { repeat: 1 }), rowOf(standard, 1000)];
  const equal = text([...chosen, ...finals([1000, 1100, 990], [1010, 1080, 1000])]);
  expect(equal).toMatch(/256 clients: no difference \(1,000 against 1,010 commits\/s; 95% interval 0\.9/);
  expect(equal).toMatch(/Leave batch and pipeline at their defaults/);
  expect(equal).toContain("batch: { commandsMax: 64, adaptive: false }, pipeline: { batchesMax: 4 }");
  expect(equal).toMatch(/noise: .* 10\.0%/);
  const better = text([...chosen, ...finals([2000, 2100, 1990], [1010, 1080, 1000])]);
  expect(better).toMatch(/256 clients: 1\.9\d x \(2,000 against 1,010 commits\/s/);
  expect(better).toMatch(/^To copy:$/m);
  const warned = rowOf({}, 1, { warnings: ["other programs took 1.20 of 2 cores"] });
  expect(text([warned])).toMatch(/noise: not known.*1 of 1 rows have warnings.*1 x other programs took N/s);
  expect(text([])).toBe("nothing was measured");
});

test("in an open loop the text tells of the latency, of which less is better", () => {
  const open = { mode: "open", ratePerSecond: 1000, clients: 0 } as const;
  const rows = [0, 1, 2].flatMap(repeat => [
    rowOf(open, 1000, { repeat, stage: "final", p99: 2000 + repeat }),
    rowOf({ ...open, ...standard }, 1000, { repeat, stage: "final", p99: 4000 + repeat }),
  ]);
  const text = stripVTControlCharacters(renderSweep([rowOf(open, 1000), ...rows]));
  expect(text).toMatch(/1,000 commands\/s: 0\.50 x as long \(99th percentile 2 against 4 ms/);
});

test("a batch has room for as many bytes as its commands take, and the default sets nothing", () => {
  expect(batchSettings(standard, 4096)).toEqual({});
  expect(batchSettings({ batch: 64, pipeline: "adaptive" }, 0)).toEqual({
    batch: { commandsMax: 64, adaptive: false },
  });
  const { batch } = batchSettings({ batch: 1024, pipeline: 4 }, 4096);
  expect(batch?.bytesMax).toBeGreaterThan(1024 * 4096);
});

test("commas, quotes and line breaks stay within their cell", () => {
  const warnings = ['it said "no", twice', "two\nlines"];
  const [heads, row, ...rest] = csvOf([rowOf({ batch: "adaptive" }, 12.5, { warnings })]).split(
    /\n(?=stage|grid|$)/,
  );
  expect(heads).toMatch(/^stage,repeat,at,mode,clients,.*,warnings$/);
  expect(row).toMatch(/^grid,0,2026.*,closed,256,,adaptive,4,/);
  expect(row).toContain(',"it said ""no"", twice; two\nlines"');
  expect(rest).toEqual([""]);
});

test("a file that is no CSV of ours is not overwritten", async () => {
  const folder = await temporary();
  const file = join(folder, "a.csv");
  await checkCsv(file);
  await writeFile(file, csvOf([rowOf({}, 1)]));
  await checkCsv(file);
  await writeFile(file, "mine\n");
  await expect(checkCsv(file)).rejects.toMatchObject({ code: "RESULT_OTHER_RUN" });
});

test("a file goes on with the same options only, and says what differs", async () => {
  const file = join(await temporary(), "a.jsonl");
  const asked = { ...gridDefault, repeats: 2, seconds: 1, quick: false, stages: false, seed: undefined };
  const first = await openResults(file, asked, 42);
  expect(first).toMatchObject({ isResumed: false, seed: 42, rows: [] });
  await first.add(rowOf({}, 1));
  await first.close();
  const again = await openResults(file, asked, 43);
  expect(again).toMatchObject({ isResumed: true, isComplete: false, seed: 42, rows: [{}] });
  await again.end();
  await again.close();
  for (const [other, message] of [
    [{ ...asked, batch: [1, "adaptive" as const] }, /has --batch 1,16,64,256,1024, this run 1,adaptive/],
    [{ ...asked, seed: 7 }, /has --seed 42, this run 7/],
    [{ ...asked, rate: [5] }, /has --rate none, this run 5.*another file with --out/],
  ] as const) {
    const error = { code: "RESULT_OTHER_RUN", message: expect.stringMatching(message) };
    await expect(openResults(file, other, 1)).rejects.toMatchObject(error);
  }
  const complete = await openResults(file, asked, 44);
  expect(complete).toMatchObject({ isComplete: true, rows: [{}] });
  await complete.close();
});

test("lists are read as they are given, and what is wrong in them is named", () => {
  expect(integersOr(1, 100, "adaptive")("16, adaptive,1,16")).toEqual([16, "adaptive", 1]);
  expect(integersAsGiven(0, 5)("5,0")).toEqual([5, 0]);
  expect(wordsAmong(["ring", "port"])("port,ring")).toEqual(["port", "ring"]);
  expect(() => integersOr(1, 100, "adaptive")("1,fast")).toThrow(/"fast" is none.* 1 to 100, or "adaptive"/);
  for (const text of ["", "1,,2", "-1", "1.5", "6"])
    expect(() => integersAsGiven(1, 5)(text)).toThrow("none of");
  expect(() => wordsAmong(["ring"])("pipe")).toThrow('There is no "pipe". Allowed are ring');
});

test("a thread's time is told once, under the names of all its actors", () => {
  const told = (learner: number) => [
    { name: "acceptor-0", threadMs: learner },
    { name: "learner-0", threadMs: learner + 1 },
    { name: "proposer-0", threadMs: null },
  ];
  const threadOf = new Map([
    ...["acceptor-0", "learner-0"].map(name => [name, "thread-0"] as const),
    ["proposer-0", "proposer-0"] as const,
  ]);
  const clients = [0.25, null, 0.5];
  expect(cpuShares({ before: told(100), after: told(600), threadOf, clients, ms: 1000 })).toEqual({
    ...{ "acceptor-0 + learner-0": 0.5, clients: 0.75 },
  });
});

test("medians of stages are weighed by what each client has timed", () => {
  const of = (us: number) => ({ clientQueue: us, proposer: us, acceptors: us, learner: us, reply: 2 * us });
  const clients = [{ samples: 3, medians: of(100) }, null, { samples: 1, medians: of(200) }];
  expect(combined(clients)).toEqual({ ...of(125), reply: 250 });
  expect(combined([null, { samples: 0, medians: of(0) }])).toBeNull();
});

test("the time that is left is in the unit that people would use", () => {
  expect([400, 59_000, 90_000, 7_500_000].map(leftText)).toEqual([
    ...["0 s left", "59 s left", "2 min left", "2 h 5 min left"],
  ]);
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "synod-sweep-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
