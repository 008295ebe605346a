import { stripVTControlCharacters } from "node:util";
import {
  experiments,
  groupsOf,
  type Measurement,
  renderComparisons,
  renderTable,
  reportOf,
} from "@synod/bench";
import { commandCodec } from "@synod/runtime/internal";
import { expect, test } from "vitest";
import { addIdentity, sumUpTo } from "../dist/identity-sum.js";
import { loadCommand, payloadsOf } from "../dist/load.js";
import {
  batchCommandsMax,
  idsAmong,
  integerBetween,
  integersBetween,
  secondsBetween,
} from "../dist/options.js";
import { differ, median, ratio, ratioSpread } from "../dist/results/statistics.js";
import { AuditCounters } from "../dist/verifying-store.js";

const latencyMs = { p50: 1.234, p99: 5.678 };
const traced = {
  commits: 300,
  messageDelays: 2,
  messageDelaysAllLearners: 2,
  consensusMessagesPerCommit: 12,
  consensusMessagesFormula: 12,
  disturbances: 0,
  latencyMs,
};
const counts = {
  frames: 1400,
  bytes: 50_000,
  maintenanceFrames: 10,
  consensusFrames: 1200,
  refuseFrames: 0,
  fetchFrames: 0,
  droppedFrames: 0,
  acceptFrames: 300,
  acceptReceivers: 3,
  wakeUps: 500,
};
const measured = {
  variantOf: undefined,
  commitsPerSecondSpread: 1,
  latencyMs,
  commits: 100,
  samples: [1000],
};
const options = {
  ...{ clients: 8, batch: 1024, pipeline: 16, acceptors: 3, learners: 2 },
  ...{ threads: "isolated" as const, payload: 0, seconds: 1 },
};

test("the median of nothing is nothing, and of an even number the mean of the middle two", () => {
  expect(median([])).toBeNull();
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(ratio(1, undefined)).toBeNull();
  expect(ratio(1, 0)).toBeNull();
});

test("a batch is a quarter of the clients at most, and one command at least", () => {
  expect(batchCommandsMax({ batch: 1024, clients: 4096 })).toBe(1024);
  expect(batchCommandsMax({ batch: 1024, clients: 256 })).toBe(64);
  expect(batchCommandsMax({ batch: 1024, clients: 1 })).toBe(1);
});

test("bad options are refused, with what is allowed", () => {
  for (const text of ["0", "-1", "1.5", "x", "", "1e3", "101"]) {
    expect(() => integerBetween(1, 100)(text)).toThrow("an integer from 1 to 100");
  }
  for (const text of ["0", "x", "", "Infinity"])
    expect(() => secondsBetween(0.1, 10)(text)).toThrow("0.1 to 10");
  expect(integersBetween(1, 100)("16, 1,16")).toEqual([1, 16]);
  for (const text of ["", "1,", "1,x", "1,101"])
    expect(() => integersBetween(1, 100)(text)).toThrow("an integer from 1 to 100");
  const ids = experiments.map(({ id }) => id);
  expect(() => idsAmong(ids)("batching,nonsense")).toThrow(/no row nonsense.*basic-paxos.*ceiling/);
  expect(() => idsAmong(ids)(",")).toThrow("names no row");
  expect(idsAmong(ids)("batching, basic-paxos")).toEqual(["basic-paxos", "batching"]);
});

test("an audit sees what comes twice and what is passed over", () => {
  const counters = new AuditCounters();
  for (const identity of [1, 2, 2, 5]) counters.applied(identity);
  expect(counters.read()).toEqual({ count: 4, sum: 10, repeated: 1, skipped: 2 });
});

test("an audit's sum is exact for as many commands as a long run has", () => {
  let sum = 0;
  const last = 200_000;
  for (let identity = 1; identity <= last; identity++) sum = addIdentity(sum, identity);
  expect(sum).toBe(sumUpTo(last));
  // Identities beyond what 32 bits hold, as those of many threads have, and a sum that a double would round.
  const many = 172_731_000;
  expect(sumUpTo(many + 1)).toBe(addIdentity(sumUpTo(many), many + 1));
  expect(addIdentity(sumUpTo(many), 2 ** 40 + 1)).toBe(addIdentity(sumUpTo(many), 1));
  expect(sumUpTo(many)).not.toBe(sumUpTo(many - 1));
});

test("payloads of neighbours differ, so that all of them are sent", () => {
  const payloads = payloadsOf(100);
  const commands = Array.from({ length: 50 }, (_, value) => loadCommand(value, payloads));
  for (const { payload } of commands) expect(payload).toHaveLength(100);
  expect(commandCodec.encode(commands).byteLength).toBeGreaterThan(50 * 100);
  expect(loadCommand(1, payloadsOf(0))).toEqual({ op: "set", key: "key1", value: 1 });
});

test("rows are related to the first one and to the ceiling, whose message cells are empty", () => {
  const none = {
    ...traced,
    messageDelays: null,
    messageDelaysAllLearners: null,
    consensusMessagesPerCommit: null,
  };
  const measurements: Measurement[] = [
    { ...measured, id: "basic-paxos", commitsPerSecond: 1000, counts, traced },
    { ...measured, id: "ceiling", commitsPerSecond: 4000, counts: undefined, traced: none },
  ];
  const report = reportOf([{ options, measurements }]);
  expect(report.rows[0]).toMatchObject({ messagesPerCommit: 14, bytesPerCommit: 500, commandsPerAccept: 1 });
  expect(report.rows[0]).toMatchObject({ ratioToFirst: 1, ratioToCeiling: 0.25 });
  expect(report.rows[1]).toMatchObject({ messagesPerCommit: null, messageDelays: null, ratioToFirst: 4 });
  expect(report.noise).toBeNull();
  const table = stripVTControlCharacters(renderTable(report.rows));
  expect(table).toContain("basic-paxos");
  expect(table).toContain("4,000");
  expect(table).not.toContain("null");
});

test("every other sample of a row is a second measurement of it, which shows the noise", () => {
  const row = { ...measured, id: "batching", commitsPerSecond: 1000, counts, traced };
  const measurements = [{ ...row, samples: [100, 110, 100, 110] }];
  expect(reportOf([{ options, measurements }]).noise).toEqual({
    ...{ typicalPercent: expect.closeTo(10, 6), largePercent: expect.closeTo(10, 6), pairs: 1 },
  });
});

test("estimates differ when their intervals are apart", () => {
  const around = (mean: number, spread: number) => ({ mean, spread });
  expect(differ(around(100, 10), around(119, 10))).toBe(false);
  expect(differ(around(100, 10), around(125, 10))).toBe(true);
  expect(differ(around(125, 10), around(100, 10))).toBe(true);
  expect(ratioSpread(around(1, 3), around(1, 4))).toBe(5);
});

test("digests are measured with larger commands as well, unless that is what the run is about", () => {
  const [main, other, ...rest] = groupsOf(experiments, { ...options, clients: 4096 });
  expect(main.experiments).toBe(experiments);
  expect(other?.experiments.map(({ id }) => id)).toEqual(["batching", "digest"]);
  expect(other?.options).toMatchObject({ payload: 1024, clients: 256 });
  expect(rest).toEqual([]);
  expect(groupsOf(experiments, { ...options, payload: 1024 })).toHaveLength(1);
  const alone = experiments.filter(({ id }) => id === "digest");
  expect(groupsOf(alone, options)).toHaveLength(1);
});

test("a variant is compared with its row; an interval with 1 in it shows no difference; 100 columns are enough", () => {
  const rate = 1_234_567;
  const row = { ...measured, counts, traced };
  const variant = { ...row, variantOf: "batching", traced: { ...traced, messageDelaysAllLearners: 3 } };
  const fewer = { counts: { ...counts, bytes: 25_000 } };
  // They drift together: only the ratio of each pair stays.
  const times = (...factors: number[]) => factors.map(factor => rate * factor);
  const report = reportOf([
    {
      options,
      measurements: [
        { ...row, id: "batching", commitsPerSecond: rate, samples: times(1, 1.4, 1.2) },
        { ...variant, id: "distinguished-learner", commitsPerSecond: rate, samples: times(1.1, 1.3, 1.2) },
        { ...variant, id: "digest", commitsPerSecond: rate * 1.5, ...fewer, samples: times(1.5, 2.1, 1.81) },
      ],
    },
  ]);
  const [, learner, digest] = stripVTControlCharacters(renderComparisons(report.comparisons)).split("\n");
  expect(learner).toMatch(/^distinguished-learner .*no difference +1.00 x +1.00 x$/);
  expect(digest).toMatch(/^digest .* 1.50 x ±1% +1.00 x +0.50 x$/);
  const table = stripVTControlCharacters(renderTable(report.rows));
  expect(table).toMatch(/distinguished-learner .* 2 \/ 3 /);
  for (const line of `${table}\n${stripVTControlCharacters(renderComparisons(report.comparisons))}`.split(
    "\n",
  )) {
    expect(line.length).toBeLessThanOrEqual(100);
  }
});
