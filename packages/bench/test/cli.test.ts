import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Report } from "@synod/bench";
import { expect, test } from "vitest";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

test("a tiny run counts what the formulas say", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-bench-"));
  try {
    const json = join(folder, "result.json");
    const small = ["--seconds", "0.2", "--clients", "8", "--only", "basic-paxos,batching", "--json", json];
    const { stdout } = await run(process.execPath, [cli, ...small]);
    expect(stdout).toContain("commits/s");
    const report = JSON.parse(await readFile(json, "utf8")) as Report;
    expect(report.rows.map(({ id }) => id)).toEqual(["basic-paxos", "batching"]);
    expect(report.rows.map(({ messageDelays }) => messageDelays)).toEqual([4, 2]);
    // 3 acceptors, 2 learners, and Accepted goes to the leader too. A slow machine may send something again.
    expect(report.rows.map(({ oneClient }) => oneClient.refusalsPerCommit)).toEqual([0, 0]);
    const [basic, multi] = report.rows.map(({ oneClient }) => oneClient.consensusMessagesPerCommit);
    expect(basic).toBeCloseTo(18, 0);
    expect(multi).toBeCloseTo(12, 0);
    for (const row of report.rows) {
      expect(row.samples.length).toBeGreaterThan(1);
      expect(row.messagesPerCommit).toBeGreaterThan(0);
      expect(row.ratioToCeiling).toBeNull();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("an unknown row is an error that names the rows", async () => {
  await expect(run(process.execPath, [cli, "--only", "nonsense"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no row nonsense.*message-port/),
  });
});
