import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MicroReport } from "../../dist/micro/comparison.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

let folder = "";
let report: MicroReport;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-micro-"));
});
afterAll(() => rm(folder, { recursive: true }));

const micro = (...more: string[]) =>
  run(process.execPath, [cli, "micro", "--only", "core/accept,apply", "--seconds", "0.05", ...more]);

/** A result like that of this machine, as if every operation had taken another time. */
async function writeReport(name: string, times: number, over: Partial<MicroReport> = {}): Promise<string> {
  const file = join(folder, name);
  const figures = report.figures.map(figure => {
    return { ...figure, nanoseconds: figure.nanoseconds * times, spread: 0 };
  });
  await writeFile(file, JSON.stringify({ ...report, figures, ...over }));
  return file;
}

test("writes what was measured", async () => {
  const json = join(folder, "result.json");
  const { stdout } = await micro("--json", json);
  expect(stdout).toMatch(/operation +takes.*core\/accept.*apply\/kv.*apply\/replica/s);
  report = JSON.parse(await readFile(json, "utf8"));
  expect(report).toMatchObject({ kind: "micro", versions: { node: process.versions.node } });
  expect(report.figures.map(({ id }) => id)).toEqual(["core/accept", "apply/kv", "apply/replica"]);
  for (const { rounds, nanoseconds } of report.figures) {
    expect(rounds).toHaveLength(5);
    expect(nanoseconds).toBeGreaterThan(0);
  }
});

test("ends with exit code 1 and names what became slower", async () => {
  const baseline = await writeReport("faster.json", 1e-6);
  // On a machine so busy that all intervals reach down to nothing, nothing is proved: it is measured once more.
  for (;;) {
    const ended = await micro("--baseline", baseline).catch(error => error);
    if (ended.stdout.match(/no difference/g)?.length === report.figures.length) continue;
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(
      /below 0\.9 x of the baseline: (core|apply)\/.*micro --json .*faster\.json/s,
    );
    return;
  }
});

test("passes where nothing became slower, compares with another result, and warns where that is of another machine", async () => {
  const machine = { ...report.machine, cores: 640 };
  const [slower, larger] = [
    await writeReport("slower.json", 1e6),
    await writeReport("larger.json", 1, { machine }),
  ];
  const { stdout } = await micro("--baseline", slower, "--compare", larger);
  expect(stdout).toMatch(/nothing is below 0\.9 x of the baseline/);
  expect(stdout.match(/speed, new to old/g)).toHaveLength(2);
  expect(stdout).toMatch(/apply\/kv .* x ±\d+%/);
  expect(stdout).toMatch(/Warning: not the same cores: 640 then/);
});

test("refuses a baseline of another machine before it measures", async () => {
  const machine = { ...report.machine, cpu: "another" };
  const baseline = await writeReport("elsewhere.json", 1, { machine });
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
