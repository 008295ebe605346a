import { experiments, renderTable, reportOf } from "@synod/bench";
import { expect, test } from "vitest";
import { batchCommandsMax, idsAmong, integerBetween, secondsBetween } from "../dist/options.js";
import { median, ratio } from "../dist/statistics.js";
import { AuditCounters } from "../dist/verifying-store.js";

const latencyMs = { p50: 1.234, p99: 5.678 };
const traced = {
  commits: 300,
  messageDelays: 2,
  messageDelaysAllLearners: 2,
  consensusMessagesPerCommit: 12,
  refusalsPerCommit: 0,
  latencyMs,
};
const counts = {
  frames: 1400,
  bytes: 50_000,
  maintenanceFrames: 10,
  consensusFrames: 1200,
  refuseFrames: 0,
  acceptFrames: 300,
  acceptors: 3,
  wakeUps: 500,
};
const measured = { commitsPerSecondSpread: 1, latencyMs, commits: 100, samples: [1000] };
const options = { clients: 8, batch: 1024, pipeline: 16, acceptors: 3, learners: 2, payload: 0, seconds: 1 };

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

test("rows are related to the first one and to the ceiling, whose message cells are empty", () => {
  const none = {
    ...traced,
    messageDelays: null,
    messageDelaysAllLearners: null,
    consensusMessagesPerCommit: null,
  };
  const report = reportOf(
    [
      { ...measured, id: "basic-paxos", commitsPerSecond: 1000, counts, traced },
      { ...measured, id: "ceiling", commitsPerSecond: 4000, counts: undefined, traced: none },
    ],
    options,
  );
  expect(report.rows[0]).toMatchObject({ messagesPerCommit: 14, bytesPerCommit: 500, commandsPerAccept: 1 });
  expect(report.rows[0]).toMatchObject({ ratioToFirst: 1, ratioToCeiling: 0.25 });
  expect(report.rows[1]).toMatchObject({ messagesPerCommit: null, messageDelays: null, ratioToFirst: 4 });
  for (const version of Object.values(report.versions)) expect(version).toMatch(/^\d+\.\d+\.\d+/);
  const table = renderTable(report.rows);
  expect(table).toContain("basic-paxos");
  expect(table).toContain("4,000");
  expect(table).not.toContain("null");
});
