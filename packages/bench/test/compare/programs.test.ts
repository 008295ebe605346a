import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findProgram, startProgram } from "../../dist/compare/programs.js";
import { isAlive } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "synod-programs-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fake(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!${process.execPath}\n${source}`, { mode: 0o755 });
  return path;
}

test("a program is found on PATH if it may be run", () => {
  const path = fake("found", "");
  writeFileSync(join(folder, "no-program"), "", { mode: 0o644 });
  expect(findProgram("found", `/nowhere:${folder}`)).toBe(path);
  expect(findProgram("no-program", folder)).toBeUndefined();
  expect(findProgram("found", "/nowhere")).toBeUndefined();
});

test("a program has started when it accepts connections, and is stopped by its process id", async () => {
  const path = fake("listens", 'require("node:net").createServer().listen(process.argv[2], "127.0.0.1");');
  const started = await startProgram(path, port => [`${port}`], { folder });
  expect(isAlive(started.pid)).toBe(true);
  await started.stop();
  expect(isAlive(started.pid)).toBe(false);
  await started.stop();
});

test("a program that does not start is tried again, then reported with what it said", async () => {
  const tries = join(folder, "tries");
  const source = `require("node:fs").appendFileSync(${JSON.stringify(tries)}, "x"); console.error("no room"); process.exitCode = 3;`;
  const starting = startProgram(fake("fails", source), () => [], { folder });
  await expect(starting).rejects.toThrow(/fails did not start: it ended with 3\nno room/);
  expect(readFileSync(tries, "utf8")).toBe("xxx");
});

test("a program that cannot be run is reported", async () => {
  await expect(startProgram(join(folder, "absent"), () => [], { folder })).rejects.toThrow(/absent.*ENOENT/);
});

test("a program that takes its time is stopped when the run ends", async () => {
  const written = join(folder, "pid");
  const source = `require("node:fs").writeFileSync(${JSON.stringify(written)}, String(process.pid)); setInterval(() => {}, 1e6);`;
  const ending = new AbortController();
  const starting = startProgram(fake("is-slow", source), () => [], { folder, ending: ending.signal });
  const rejected = expect(starting).rejects.toThrow(/is-slow did not start: .*aborted/);
  await expect
    .poll(() => existsSync(written) && readFileSync(written, "utf8"), { timeout: 30_000 })
    .toMatch(/\d/);
  ending.abort();
  await rejected;
  expect(isAlive(Number(readFileSync(written, "utf8")))).toBe(false);
});
