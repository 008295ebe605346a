import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { baseId, noiseId, rivalIds, subjects } from "../../dist/compare/catalogue.js";
import { parseStat } from "../../dist/compare/cpu.js";
import { comparisonOf, type Turn } from "../../dist/compare/result.js";
import { renderComparison } from "../../dist/compare/table.js";
import { turnsOf } from "../../dist/compare/turns.js";

const subject = (id: string) => ({ subject: subjects.find(other => other.id === id)!, details: `${id} 1.0` });

function turn(id: string, repeat: number, commits: number, over: Partial<Turn> = {}): Turn {
  const latencyMs = { p50: repeat, p99: 10 * repeat };
  const measured = { durationMs: 500, latencyMs, cpuMs: 600, wallMs: 600, cores: 1, coresBesides: 0.1 };
  return { id, clients: 16, repeat, commits, ...measured, ...over };
}

test("in each repeat each subject has a turn with each number of clients, and warms up before", () => {
  const plan = turnsOf(["a", "b", "c"], [1, 256], 2);
  for (const repeat of [0, 1, 2]) {
    for (const clients of [1, 256]) {
      const turns = plan.filter(turn => turn.repeat === repeat && turn.clients === clients);
      expect(turns.map(({ of }) => of).sort()).toEqual(["a", "b", "c"]);
    }
  }
  expect(plan).toHaveLength(18);
});

test("nobody follows the same neighbour twice until all have begun", () => {
  const all = ["a", "b", "c", "d", "e", "f"];
  const plan = turnsOf(all, [1], all.length - 1);
  const pairs = plan.flatMap(({ of, repeat }, at) => {
    const before = plan[at - 1];
    return before?.repeat === repeat ? [`${before.of}${of}`] : [];
  });
  expect(new Set(pairs).size).toBe(all.length * (all.length - 1));
  expect(new Set(plan.filter((_, at) => at % all.length === 0).map(({ of }) => of)).size).toBe(all.length);
});

test("CPU time is read behind a program's name, whatever that holds", () => {
  const line = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 25 7 8 20 0 5 0 100";
  expect(parseStat(line)).toBe(1750);
});

test("ratios are to Synod in the same repeat, and Synod's own are the noise", () => {
  const turns = [
    ...[turn(baseId, 1, 100), turn(noiseId, 1, 90), turn("redis", 1, 50)],
    ...[turn(baseId, 2, 200), turn(noiseId, 2, 220), turn("redis", 2, 300)],
    ...[turn(baseId, 3, 100), turn(noiseId, 3, 100), turn("redis", 3, 100, { cores: null })],
  ];
  const { rows, noise, coresBesides } = comparisonOf({
    subjects: [baseId, noiseId, "redis"].map(subject),
    skipped: [],
    turns,
  });
  const redis = rows.find(({ id }) => id === "redis");
  expect(redis?.commitsPerSecond).toEqual({ median: 200, least: 100, most: 600 });
  expect(redis?.ratioToSynod).toEqual({ median: 1, least: 0.5, most: 1.5 });
  expect(redis).toMatchObject({ p50Ms: 2, p99Ms: 20, cores: null });
  expect(noise).toEqual([{ clients: 16, ratio: { median: 1, least: 0.9, most: 1.1 } }]);
  expect(coresBesides).toBeCloseTo(0.1);
});

test("the table has a part per number of clients, guarantees, noise, and what was skipped", () => {
  const found = (coresBesides: number) => {
    const slice = (id: string, clients: number) => turn(id, 1, 100, { clients, coresBesides });
    return comparisonOf({
      subjects: [baseId, noiseId, "etcd"].map(subject),
      skipped: [{ id: "raft-go", title: "etcd's raft in Go", reason: "go is not on PATH" }],
      turns: [1, 4096].flatMap(clients => [baseId, noiseId, "etcd"].map(id => slice(id, clients))),
    });
  };
  const text = stripVTControlCharacters(renderComparison(found(0)));
  expect(text).toMatch(/^1 client +commits.*\n\n4,096 clients +commits/s);
  expect(text).toMatch(/etcd +200 +1 +10 +1 x +1-1 x +1\.00/);
  expect(text).toMatch(/etcd +one server +yes +none +all processes +yes/);
  expect(text).toMatch(/came to 1-1 x at 1, 1-1 x at 4,096 clients/);
  expect(text).toMatch(/skipped etcd's raft in Go: go is not on PATH/);
  expect(text).not.toMatch(/Warning/);
  expect(renderComparison(found(0.5))).toMatch(/Warning: something else kept 0\.50 cores busy/);
  for (const line of text.split("\n")) expect(line.length).toBeLessThan(110);
});

test("all but Synod can be chosen", () => {
  expect(rivalIds).toEqual(["broadcast-channel", "redis", "etcd", "nats", "raft-npm", "raft-go"]);
});
