import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-profile-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command, and interrupts it as soon as the profilers are to run. */
async function interrupted(...options: string[]): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(process.execPath, [cli, "profile", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", text => {
    stdout += text;
  });
  child.stderr.on("data", text => {
    stderr += text;
    if (String(text).includes("under the profilers")) child.kill("SIGINT");
  });
  const code = await new Promise<number | null>(resolve => child.once("close", resolve));
  expect(stderr).toContain("ending early");
  return { code, stdout };
}

test("interrupted, it writes what it has: profiles of all threads, and a page that loads nothing", async () => {
  const out = join(folder, "interrupted");
  const options = ["--out", out, "--seconds", "3600", "--clients", "64", "--learners", "1", "--allocations"];
  const { code, stdout } = await interrupted(...options);
  expect(code).toBe(130);
  expect(stdout).toContain("commits/s under the profilers");
  const threads = ["client", "proposer-0", "acceptor-0", "acceptor-1", "acceptor-2", "learner-0"];
  const profiles = threads.flatMap(name => [`${name}.cpuprofile`, `${name}.heapprofile`]);
  expect((await readdir(out)).sort()).toEqual([...profiles, "index.html", "profile.json"].sort());
  for (const name of threads) {
    const cpu = JSON.parse(await readFile(join(out, `${name}.cpuprofile`), "utf8"));
    expect(cpu.samples).toHaveLength(cpu.timeDeltas.length);
    expect(cpu.nodes[0].callFrame.functionName).toBe("(root)");
    const heap = JSON.parse(await readFile(join(out, `${name}.heapprofile`), "utf8"));
    expect(heap.head.callFrame.functionName).toBe("(root)");
  }
  const page = await readFile(join(out, "index.html"), "utf8");
  expect(page).not.toMatch(/<script[^>]+src=|<link|@import|url\(/);
  const figures = JSON.parse(await readFile(join(out, "profile.json"), "utf8"));
  expect(page).toContain(figures.verdict.text.replaceAll('"', "&#34;"));
  const { stages } = figures;
  if (stages.samples > 0) {
    const sum = stages.stages.reduce((all: number, { meanMs }: { meanMs: number }) => all + meanMs, 0);
    expect(sum).toBeCloseTo(stages.whole.meanMs, 6);
  }
});

test("files that are not its own are refused before anything runs", async () => {
  const out = await mkdtemp(join(folder, "foreign-"));
  await writeFile(join(out, "index.html"), "mine");
  await expect(run(process.execPath, [cli, "profile", "--out", out])).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/index\.html.*--force/),
  });
});

test.each([
  [[], /--out <dir>/],
  [["--out", "x", "--load", "reads"], /propose, proposeAll, bytes/],
])("profile %j is an error that says what is allowed", async (options, expected) => {
  await expect(run(process.execPath, [cli, "profile", ...options])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(expected),
  });
});
