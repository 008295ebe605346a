import { expect, test } from "vitest";
import { possibleFaults, replayCommand } from "../../dist/chaos/options.js";
import { faultKinds, killLeaderSchedule, schedule } from "../../dist/chaos/schedule.js";

const options = { seed: 7, kinds: faultKinds, everyMs: 1000, leaseMs: 500, fromMs: 1000, untilMs: 300_000 };
const faults = [...schedule(options)];

test("the same seed draws the same faults, another one draws others", () => {
  expect([...schedule(options)]).toEqual(faults);
  expect([...schedule({ ...options, seed: 8 })]).not.toEqual(faults);
});

test("a longer run begins like a shorter one", () => {
  const longer = [...schedule({ ...options, untilMs: 400_000 })];
  expect(longer.slice(0, faults.length)).toEqual(faults);
  expect(longer.length).toBeGreaterThan(faults.length);
});

test("faults come one after the other, within the run, about as often as is asked for", () => {
  const times = faults.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(1000);
  expect(times.at(-1)).toBeLessThan(300_000);
  expect(faults.length).toBeGreaterThan(250);
  expect(faults.length).toBeLessThan(350);
});

test("every kind comes up, and only those that are asked for", () => {
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  const chosen = [...schedule({ ...options, kinds: ["burst", "transfer"] })].map(({ kind }) => kind);
  expect(new Set(chosen)).toEqual(new Set(["burst", "transfer"]));
  expect([...schedule({ ...options, kinds: [] })]).toEqual([]);
});

test("stalls last from 1.2 to 4 leases", () => {
  const stalls = faults.filter(({ kind }) => kind.startsWith("pause-")).map(({ durationMs }) => durationMs);
  expect(Math.min(...stalls)).toBeGreaterThanOrEqual(600);
  expect(Math.max(...stalls)).toBeLessThanOrEqual(2000);
  expect(Math.max(...stalls) - Math.min(...stalls)).toBeGreaterThan(1000);
});

test("two at once strike different roles, so that they never take two acceptors", () => {
  const pairs = faults.filter(({ kind }) => kind === "two-at-once").map(({ parts }) => parts);
  expect(pairs.length).toBeGreaterThan(10);
  for (const parts of pairs) {
    expect(parts).toHaveLength(2);
    const roles = parts.map(part => part.split("-")[1]?.replace("leader", "proposer"));
    expect(new Set(roles).size).toBe(2);
  }
});

test("leaders are killed at equal distances", () => {
  const kills = [...killLeaderSchedule({ everyMs: 1000, fromMs: 5000, untilMs: 8000 })];
  expect(kills.map(({ kind, atMs }) => [kind, atMs])).toEqual([
    ["kill-leader", 5000],
    ["kill-leader", 6000],
    ["kill-leader", 7000],
  ]);
});

test("a cluster is spared what it cannot get over", () => {
  expect(possibleFaults({ proposers: 2, acceptors: 3 })).toEqual(faultKinds);
  const small = possibleFaults({ proposers: 1, acceptors: 1 });
  for (const kind of ["kill-proposer", "transfer", "kill-acceptor", "pause-acceptor"]) {
    expect(small).not.toContain(kind);
  }
  expect(small).toContain("kill-all-acceptors");
});

test("the command that replays a run names what is not as usual", () => {
  const usual = {
    ...{ seed: 5, seconds: 60, clientThreads: 3, inFlight: 128, faults: faultKinds, everyMs: 1500 },
    ...{ leaseMs: 500, proposers: 2, acceptors: 3, learners: 2, snapshotEvery: 100_000 },
    threads: "isolated" as const,
  };
  expect(replayCommand(usual)).toMatch(/^pnpm chaos --seed 5 --seconds 60( --client-threads 3)?$/);
  const other = replayCommand({ ...usual, faults: ["burst"], leaseMs: 200, learners: 3 });
  expect(other).toMatch(/--faults burst.* --lease-ms 200 --learners 3$/);
  expect(replayCommand({ ...usual, threads: "single" })).toMatch(/ --threads single$/);
  expect(replayCommand({ ...usual, faults: [] })).toContain("--faults none");
});
