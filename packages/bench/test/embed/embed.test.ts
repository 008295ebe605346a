import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { beside, PacedLoad } from "../../dist/embed/paced-load.js";
import type { EmbedFigures } from "../../dist/embed/run.js";
import type { StartUp } from "../../dist/embed/start-up-process.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

test("a quick run measures what was asked for, and says how", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-embed-"));
  try {
    const json = join(folder, "result.json");
    const sections = ["reads", "catch-up"];
    const { stdout } = await run(process.execPath, [
      ...[cli, "embed", "--quick", "--seconds", "0.05", "--only", sections.join(), "--out", json],
    ]);
    expect(stdout).toMatch(/x plain.*joins from/s);
    const figures = JSON.parse(await readFile(json, "utf8")) as EmbedFigures;
    expect(figures.latency).toBeUndefined();
    expect(figures.startUp).toBeUndefined();

    const reads = figures.reads!;
    expect(reads.rows).toHaveLength(8);
    expect(reads.committedPerSecond).toBeGreaterThan(0);
    const rows = new Map(reads.rows.map(row => [row.id, row]));
    expect(rows.get("plain store")?.ratioToPlain).toBe(1);
    for (const id of ["replica", "replica, commits beside"]) {
      // Both read a map: whatever the machine does, neither is a message away.
      expect(rows.get(id)?.perSecond).toBeGreaterThan(rows.get("query, sequential, one caller")!.perSecond);
      expect(rows.get(id)?.latencyMs).toBeNull();
    }
    expect(rows.get("query, linearizable, 256 callers")?.latencyMs?.p50).toBeGreaterThan(0);

    const [fromLog, fromSnapshot] = figures.catchUp!;
    expect(figures.catchUp).toHaveLength(4);
    expect(fromLog!.joins.map(({ hasRestored }) => hasRestored)).toEqual([false, false]);
    expect(fromSnapshot!.joins.map(({ hasRestored }) => hasRestored)).toEqual([true, true]);
    expect(fromLog!.commandsOfLog).toBe(5000);
    expect(fromSnapshot!.commandsOfLog).toBeLessThan(5000);
    for (const { longestTurnMs, longestRanMs, longestSliceMs, joins } of figures.catchUp!) {
      expect(joins.map(({ turns }) => turns === null)).toEqual([true, false]);
      expect(longestTurnMs.worst).toBeGreaterThan(0);
      // It has done something, and Linux says of every thread how long it ran.
      expect(longestSliceMs.worst).toBeGreaterThan(0);
      expect((longestRanMs?.worst ?? 0) > 0).toBe(process.platform === "linux");
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a process starts one cluster, and says what that took", async () => {
  const program = fileURLToPath(new URL("../../dist/embed/start-up-process.js", import.meta.url));
  const { stdout } = await run(process.execPath, [program, "single", "20"]);
  const { threads, firstCommitMs, processMs, residentBytes } = JSON.parse(stdout) as StartUp;
  expect(threads).toBe("single");
  expect(firstCommitMs).toBeGreaterThan(0);
  expect(processMs).toBeGreaterThan(firstCommitMs);
  expect(residentBytes).toBeGreaterThan(0);
});

test("a load beside goes on as long as the sample, and its failure fails the sample", async () => {
  const values: number[] = [];
  const until = async (count: number) => {
    while (values.length < count) await new Promise(resolve => setImmediate(resolve));
    return { commits: 1, durationMs: 1 };
  };
  const paced = new PacedLoad(async ({ value }) => void values.push(value), 100_000);
  const loaded = beside({ acknowledged: 0, slice: () => until(values.length + 100) }, paced);
  await loaded.slice(1, 1);
  await loaded.slice(1, 1);
  expect(paced.acknowledged).toBe(values.length);
  expect(values).toEqual(values.map((_, index) => index + 1));

  let failed = 0;
  const failing = new PacedLoad(async () => {
    failed++;
    throw new Error("refused");
  }, 100_000);
  const slice = async () => {
    while (failed === 0) await new Promise(resolve => setImmediate(resolve));
    return { commits: 1, durationMs: 1 };
  };
  await expect(beside({ acknowledged: 0, slice }, failing).slice(1, 1)).rejects.toThrow("refused");
});

test("a section that does not exist is an error that names those that do", async () => {
  await expect(run(process.execPath, [cli, "embed", "--only", "speed"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no section speed.*catch-up/),
  });
});
