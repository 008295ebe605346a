import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MicroReport } from "../../dist/micro/comparison.js";
import { hostHere, versionsHere } from "../../dist/results/host.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-micro-"));
});
afterAll(() => rm(folder, { recursive: true }));

const ids = ["core/accept", "apply/kv"];
const micro = (...more: string[]) =>
  run(process.execPath, [cli, "micro", "--only", ids.join(), "--seconds", "0.05", ...more]);

/** A result of this machine, as if each operation had always taken so many nanoseconds. */
async function writeReport(name: string, nanoseconds: number, on: object = {}): Promise<string> {
  const file = join(folder, name);
  const figures = ids.map(id => ({ id, operation: id, nanoseconds, spread: 0, rounds: [nanoseconds] }));
  const here = { machine: { ...hostHere(), ...on }, versions: versionsHere() };
  const report: MicroReport = { kind: "micro", ...here, options: { seconds: 1 }, figures };
  await writeFile(file, JSON.stringify(report));
  return file;
}

test("passes where nothing became slower, compares with a result of another machine, and writes its own", async () => {
  const [slower, larger] = [
    await writeReport("slower", 1e12),
    await writeReport("larger", 1, { cores: 640 }),
  ];
  const json = join(folder, "result.json");
  const ended = await micro("--baseline", slower, "--compare", larger, "--json", json);
  const stdout = stripVTControlCharacters(ended.stdout);
  expect(stdout).toMatch(/nothing is below 0\.9 x of the baseline/);
  expect(stdout.match(/speed, new to old/g)).toHaveLength(2);
  expect(stdout).toMatch(/apply\/kv .* x ±\d+%/);
  expect(stdout).toMatch(/Warning: not the same cores: 640 then/);
  const report = JSON.parse(await readFile(json, "utf8")) as MicroReport;
  expect(report).toMatchObject({ kind: "micro", versions: { node: process.versions.node } });
  expect(report.figures.map(({ id }) => id)).toEqual(ids);
  for (const { rounds, nanoseconds } of report.figures) {
    expect(rounds).toHaveLength(5);
    expect(nanoseconds).toBeGreaterThan(0);
  }
});

test("ends with exit code 1 and names what became slower", async () => {
  const baseline = await writeReport("faster", 1e-6);
  // On a machine so busy that all intervals reach down to nothing, nothing is proved: it is measured once more.
  for (;;) {
    const ended = await micro("--baseline", baseline).catch(error => error);
    if (ended.stdout.match(/no difference/g)?.length === ids.length) continue;
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(/below 0\.9 x of the baseline: (core|apply)\/.*micro --json .*faster/s);
    return;
  }
});

test("refuses a baseline of another machine before it measures", async () => {
  const baseline = await writeReport("elsewhere", 1, { cpuModel: "another" });
  const failed = await micro("--baseline", baseline).catch(error => error);
  expect(failed).toMatchObject({ code: 2, stdout: "" });
  expect(failed.stderr).toMatch(/is of another machine\. CPU: another then.*renew the baseline/s);
});

test("a file that is no result is an error", async () => {
  const file = join(folder, "no-result.json");
  await writeFile(file, "[]");
  await expect(micro("--compare", file)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no-result\.json is not a result of micro/),
  });
});
