import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Report } from "@synod/bench";
import { expect, test } from "vitest";
import type { Conditions } from "../dist/results/conditions.js";
import { sampleLines, textOf } from "./sweep-report/sample-results.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

test("a tiny run counts what the formulas say, and compares variants with batching", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-bench-"));
  try {
    const json = join(folder, "result.json");
    const ids = ["basic-paxos", "batching", "distinguished-learner", "digest"];
    const small = ["--seconds", "0.2", "--clients", "8", "--only", ids.join(), "--json", json];
    const { stdout, stderr } = await run(process.execPath, [cli, ...small]);
    expect(stdout).toMatch(/commits\/s.*against batching/s);
    const { rows, otherRows, comparisons, noise, ...conditions } = JSON.parse(
      await readFile(json, "utf8"),
    ) as Report & Conditions;
    expect(stdout).toMatch(/noise: measured twice, a row differs from itself by/);
    expect(noise?.pairs).toBe(ids.length);
    expect(conditions).toMatchObject({
      machine: { cores: expect.any(Number) },
      versions: { node: process.versions.node },
    });
    expect(conditions.use.ownCores).toBeGreaterThan(0);
    for (const warning of conditions.warnings) expect(stderr).toContain(`warning: ${warning}`);
    expect(rows.map(({ id }) => id)).toEqual(ids);
    expect(rows.map(({ messageDelays }) => messageDelays)).toEqual([4, 2, 2, 2]);
    expect(rows.map(({ messageDelaysAllLearners }) => messageDelaysAllLearners)).toEqual([4, 2, 3, 2]);
    expect(rows.map(({ oneClient }) => oneClient.consensusMessagesFormula)).toEqual([18, 12, 10, 14]);
    for (const row of rows) {
      // A slow machine may send something again, and what was refused or missed takes messages of its own.
      const { consensusMessagesPerCommit, consensusMessagesFormula, disturbances } = row.oneClient;
      if (disturbances === 0) expect(consensusMessagesPerCommit).toBe(consensusMessagesFormula);
      expect(row.samples.length).toBeGreaterThan(1);
      expect(row.messagesPerCommit).toBeGreaterThan(0);
      expect(row.ratioToCeiling).toBeNull();
    }
    expect(otherRows.map(({ rows }) => rows.map(({ id }) => id))).toEqual([["batching", "digest"]]);
    expect(comparisons.map(({ id, payload }) => [id, payload])).toEqual([
      ["distinguished-learner", 0],
      ["digest", 0],
      ["digest", 1024],
    ]);
    // Of a value: the request, 3 Accepts and 6 Accepteds become the request and 5 Accepts.
    expect(comparisons.at(-1)?.bytesRatio).toBeLessThan(0.75);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("options of the rows before a command are refused, not lost", async () => {
  const misplaced = run(process.execPath, [cli, "--learners", "3", "trace"]);
  await expect(misplaced).rejects.toMatchObject({ stderr: expect.stringMatching(/--learners after trace/) });
});

test("an unknown row is an error that names the rows", async () => {
  await expect(run(process.execPath, [cli, "--only", "nonsense"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no row nonsense.*message-port/),
  });
});

test("a report is written, and a file that is none is an error on one line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-bench-"));
  try {
    const [results, page] = [join(folder, "results.jsonl"), join(folder, "report.html")];
    await writeFile(results, textOf(sampleLines({ seed: 1, clients: [1] })));
    const { stdout } = await run(process.execPath, [cli, "report", results, "--out", page]);
    expect(stdout).toBe(`written to ${page}\n`);
    expect(await readFile(page, "utf8")).toMatch(/^<!doctype html>.*<\/html>\n$/s);
    await expect(run(process.execPath, [cli, "report", page, "--out", results])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error: line 1 of .*report\.html is not what synod-bench sweep writes.*\n$/,
      ),
    });
    await expect(run(process.execPath, [cli, "report", results])).rejects.toMatchObject({
      stderr: expect.stringMatching(/--out <file>/),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a word that is no command is refused, with those that there are", async () => {
  await expect(run(process.execPath, [cli, "footprnt"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /no command footprnt.*bulk, footprint, embed, .*profile, trace, .*report\n.*--help/s,
    ),
  });
  const excess = run(process.execPath, [cli, "embed", "reads"]);
  await expect(excess).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("too many arguments"),
  });
});

test("a file that cannot be written is found out before anything is measured", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-bench-"));
  try {
    const stderrOf = async (...options: string[]): Promise<string> => {
      const failed = run(process.execPath, [cli, ...options]).then(() => undefined);
      return failed.then(
        () => "",
        (error: { stderr: string }) => error.stderr,
      );
    };
    const missing = join(folder, "missing");
    expect(await stderrOf("bulk", "--json", join(missing, "a.json"))).toContain(
      `There is no folder ${missing}.`,
    );
    expect(await stderrOf("embed", "--out", folder)).toContain("It is a folder; name a file.");
    // A step would be told of on stderr.
    expect(await stderrOf("--json", join(missing, "a.json"))).not.toMatch(/^\[1\//m);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("told to end, it takes the processes along that it has started", async () => {
  const options = ["footprint", "--threads", "single", "--seconds", "3600"];
  const child = spawn(process.execPath, [cli, ...options], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", text => {
    stderr += text;
    // The next process would sleep for an hour.
    if (stderr.includes("start 4")) child.kill("SIGTERM");
  });
  // They have the same stderr, which is closed when the last of them has ended.
  const code = await new Promise<number | null>(resolve => child.once("close", resolve));
  expect(code).toBe(143);
  expect(stderr).not.toMatch(/Error/);
});
