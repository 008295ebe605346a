import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { Command } from "commander";
import { expect, onTestFinished, test, vi } from "vitest";
import { keyOf } from "../../dist/results/format.js";
import { readResults } from "../../dist/results/reader.js";
import { addSweep } from "../../dist/sweep/command.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** Everything that it has said on stderr when a line matches. It is read on, lest the child's pipe is closed. */
function heard(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stderr!.on("data", chunk => {
      text += String(chunk);
      if (pattern.test(text)) resolve(text);
    });
    child.once("close", () => reject(new Error(`it ended without ${pattern}: ${text}`)));
  });
}

test("a sweep is interrupted, keeps what it has, and goes on to its end", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-sweep-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "a.jsonl");
  const words = [
    ...["sweep", "--out", file, "--clients", "8", "--rate", "200", "--batch", "4", "--pipeline", "2"],
    ...[
      "--client-threads",
      "1",
      "--threads",
      "single",
      "--repeats",
      "1",
      "--seconds",
      "0.05",
      "--seed",
      "5",
      "--stages",
    ],
  ];
  const child = spawn(process.execPath, [cli, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  expect(await heard(child, /\[1\/28\]/)).toMatch(/seed 5\n/);
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([130, null]);
  const partial = await readResults(file);
  expect(partial.end).toBeNull();
  expect(partial.rows.length).toBeGreaterThan(0);
  expect(partial.rows.length).toBeLessThan(28);
  const csv = await readFile(join(folder, "a.csv"), "utf8");
  expect(csv.trim().split("\n")).toHaveLength(partial.rows.length + 1);

  const { stdout, stderr } = await run(process.execPath, [cli, ...words]);
  expect(stderr).toMatch(`${partial.rows.length} rows are there already`);
  expect(stdout).toMatch(
    /8 clients, 1 client thread.*in turns:.*8 clients.*commandsMax: 4, adaptive: false/s,
  );
  const { rows, end, runs } = await readResults(file);
  expect([runs.length, rows.length, end?.rows]).toEqual([2, 28, 28]);
  expect(rows.slice(0, partial.rows.length)).toEqual(partial.rows);
  expect(new Set(rows.map(row => `${row.stage} ${row.repeat} ${keyOf(row.settings)}`)).size).toBe(28);
  for (const { settings, latencyUs, commitsPerSecond, cpu, stagesUs } of rows) {
    expect(latencyUs.p50).toBeGreaterThan(0);
    // A busy machine may answer nothing in a twentieth of a second, and one batch of some is timed.
    if (settings.mode === "open") expect(commitsPerSecond).toBeLessThan(260);
    else expect(commitsPerSecond).toBeGreaterThan(0);
    if (process.platform === "linux") expect(Object.keys(cpu!.actors)).toHaveLength(2);
    if (stagesUs !== null) expect(Object.values(stagesUs)).toHaveLength(5);
  }
  expect(rows.some(({ stagesUs }) => stagesUs !== null)).toBe(true);

  const said = vi.spyOn(console, "error").mockReturnValue();
  const told = vi.spyOn(console, "log").mockReturnValue();
  onTestFinished(() => void vi.restoreAllMocks());
  await programOf().parseAsync(words, { from: "user" });
  expect(said).toHaveBeenCalledWith(expect.stringMatching(/was complete already/));
  expect(stripVTControlCharacters(String(told.mock.lastCall))).toBe(
    stripVTControlCharacters(stdout).trimEnd(),
  );
  expect((await readResults(file)).rows).toHaveLength(28);
});

/** The command line, which throws where it would end the process. */
function programOf(): Command {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addSweep(program);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  return program;
}

test("options that make no sense are refused with what to write instead", async () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => said.mockRestore());
  for (const [words, message] of [
    [["--out", "a.txt"], /must end with \.jsonl/],
    [["--out", "a.jsonl", "--batch", "fast"], /"fast" is none of its values/],
    [["--out", "a.jsonl", "--mailbox", "port", "--client-threads", "2"], /nothing is left to measure/],
    [["--out", "a.jsonl", "--csv", "a.jsonl"], /is the file of the results themselves/],
    [
      ["--out", "a.jsonl", "--clients", "1,2,3,4", "--repeats", "1000", "--payload", "1,2,3,4"],
      /rows are too many/,
    ],
    [[], /--out <file>' not specified/],
  ] as const) {
    await expect(programOf().parseAsync(["sweep", ...words], { from: "user" })).rejects.toThrow(message);
  }
  expect(said).toHaveBeenCalledWith(expect.stringMatching("need --mailbox ring"));
});
