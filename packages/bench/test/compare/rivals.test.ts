import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { missingFor } from "../../dist/compare/availability.js";
import { subjects } from "../../dist/compare/catalogue.js";
import { findProgram } from "../../dist/compare/programs.js";
import { RivalClient } from "../../dist/compare/rival-client.js";
import { isAlive } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "synod-rivals-"));
const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});
afterAll(() => rmSync(folder, { recursive: true }));

const subject = (id: string) => subjects.find(other => other.id === id)!;

function fake(name: string, source: string): void {
  writeFileSync(join(folder, name), `#!${process.execPath}\n${source}`, { mode: 0o755 });
}

test("what is missing is said with what to install", () => {
  process.env.PATH = "/nowhere";
  expect(missingFor(subject("synod"))).toBeUndefined();
  expect(missingFor(subject("broadcast-channel"))).toBeUndefined();
  for (const [id, program, installed] of [
    ["redis", "redis-server", "redis-server"],
    ["etcd", "etcd", "etcd-server"],
    ["nats", "nats-server", "nats-server"],
    ["raft-go", "go", "golang-go"],
  ] as const) {
    // Some are also looked for beside PATH.
    if (findProgram(program) !== undefined) continue;
    expect(missingFor(subject(id))).toMatch(
      new RegExp(`^${program} is not on PATH.*apt-get install ${installed}$`),
    );
  }
});

test("what is missing of npm is said with the command that installs it", () => {
  const absent = { ...subject("broadcast-channel"), packages: ["@redis/client", "@synod/no-such-package"] };
  expect(missingFor(absent)).toMatch(
    /^npm's @synod\/no-such-package is not installed: npx --yes pnpm@.* install --frozen-lockfile --dir .*rivals$/,
  );
});

test("a server that does not start is reported with what it said, and nothing of it is left", async () => {
  fake("redis-server", 'console.log("bad configuration"); process.exitCode = 1;');
  process.env.PATH = `${folder}${delimiter}${path}`;
  const rival = await RivalClient.fork(subject("redis"), { payload: 0, threads: "single" });
  await expect(rival.ready()).rejects.toThrow(/Redis: .*redis-server did not start: .*bad configuration/s);
  expect(rival.pids.every(isAlive)).toBe(true);
  await rival.close();
  expect(rival.pids.filter(isAlive)).toEqual([]);
});

test("a rival whose process ends is reported", async () => {
  const rival = await RivalClient.fork(subject("broadcast-channel"), { payload: 0, threads: "single" });
  await rival.ready();
  const slice = rival.slice(1, 60_000);
  process.kill(rival.pids[0]!, "SIGKILL");
  await expect(slice).rejects.toThrow(/BroadcastChannel ended/);
  await rival.close();
});
