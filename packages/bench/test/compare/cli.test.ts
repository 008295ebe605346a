import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram } from "../../dist/compare/programs.js";
import type { Comparison } from "../../dist/compare/result.js";
import { isAlive } from "./support.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const noRedis = "redis-server is not on PATH: install Debian's package redis-server";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "synod-compare-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Everything in one thread: starting seven for each of two clusters is most of what such a short run takes. */
const tiny = ["--clients", "4", "--seconds", "0.1", "--repeats", "2", "--threads", "single"];
const compare = (names: string, ...more: string[]) => [cli, "compare", "--with", names, ...tiny, ...more];

test("Redis is started, measured beside Synod, checked and stopped", async context => {
  if (findProgram("redis-server") === undefined) context.skip(noRedis);
  const json = join(folder, "result.json");
  const { stdout, stderr } = await run(process.execPath, compare("redis,broadcast-channel", "--json", json));
  expect(stdout).toMatch(/4 clients.*Synod.*Synod, again.*BroadcastChannel.*Redis.*as run here.*Noise/s);
  const { rows, turns, subjects, skipped } = JSON.parse(readFileSync(json, "utf8")) as Comparison;
  const ids = ["synod", "synod-again", "broadcast-channel", "redis"];
  expect(subjects.map(({ id }) => id)).toEqual(ids);
  expect(subjects.at(-1)?.details).toMatch(/Redis server v=/);
  expect(rows.map(({ id }) => id)).toEqual(ids);
  expect(skipped).toEqual([]);
  expect(turns).toHaveLength(ids.length * 2);
  for (const { commits, durationMs } of turns) {
    expect(commits).toBeGreaterThan(0);
    expect(durationMs).toBeGreaterThanOrEqual(50);
  }
  const pids = pidsIn(stderr);
  expect(pids).toHaveLength(ids.length + 1);
  expect(pids.filter(isAlive)).toEqual([]);
});

test.each(["SIGINT", "SIGKILL"] as const)("%s ends everything that was started", async signal => {
  const rival = findProgram("redis-server") === undefined ? "broadcast-channel" : "redis";
  const temporary = mkdtempSync(join(folder, "temporary-"));
  const env = { ...process.env, TMPDIR: temporary };
  const child = spawn(process.execPath, compare(rival, "--seconds", "100", "--repeats", "1000"), { env });
  // Some slice or other is always under way.
  const said = await linesUntil(child, /^\[5\//);
  const pids = pidsIn(said);
  expect(pids.length).toBeGreaterThanOrEqual(3);
  expect(pids.every(isAlive)).toBe(true);
  const exited = once(child, "exit");
  child.kill(signal);
  const [code] = await exited;
  if (signal === "SIGINT") {
    expect(code).toBe(130);
    expect(pids.filter(isAlive)).toEqual([]);
  }
  await expect.poll(() => pids.filter(isAlive), { timeout: 30_000 }).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

/** What a run said, up to a line. */
async function linesUntil(child: ChildProcess, last: RegExp): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr! })) {
    said.push(line);
    if (last.test(line)) return said.join("\n");
  }
  throw new Error(`it ended without ${last}:\n${said.join("\n")}`);
}

function pidsIn(stderr: string): number[] {
  const lines = stderr.split("\n").filter(line => line.startsWith("started "));
  return lines.flatMap(line => (line.split(", process ")[1] ?? "").split(" and ").map(Number));
}
