// The simulator's command line, as `pnpm simulate` starts it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { faultKinds } from "@synod/core/testing";
import { describe, expect, test } from "vitest";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const cli = join(repositoryRoot, "scripts/simulate.mjs");
const broken = ["--import", new URL("./fixtures/break-simulator.mjs", import.meta.url).href];

const run = (args: readonly string[], nodeArgs: readonly string[] = []) =>
  runCommand(process.execPath, [...nodeArgs, cli, ...args], { cwd: repositoryRoot });

describe("many seeds", () => {
  test("are spread over threads, and counted", async () => {
    const result = await run(["--seeds", "20", "--base", "1", "--jobs", "2", "--steps", "200"]);
    expectSuccess("20 seeds", result);
    expect(result.output).toContain("20 seeds from 1 on 2 threads");
    expect(result.stdout).toMatch(
      /^20 seeds from 1: nothing was broken\n\d+ steps in [\d.]+ s, \d+ steps\/s\n/,
    );
  });

  test("give the same counts on any number of threads", async () => {
    const [one, two] = await Promise.all(
      ["1", "2"].map(jobs => run(["--seeds", "20", "--base", "1", "--jobs", jobs])),
    );
    const counts = (text = "") => text.split("\n").slice(2);
    expect(counts(one?.stdout).length).toBeGreaterThan(5);
    expect(counts(two?.stdout)).toEqual(counts(one?.stdout));
  });

  test("name what never happened; --strict makes that a failure", async () => {
    const quiet = ["--", "--seeds", "2", "--base", "1", "--without", faultKinds.join(","), "--steps", "1"];
    const lenient = await run(quiet);
    expectSuccess("without --strict", lenient);
    expect(lenient.stdout).toMatch(/^\w+ +0 {2}never happened: this run proves little$/m);
    const strict = await run([...quiet, "--strict"]);
    expect(strict.exitCode).toBe(1);
    expect(strict.output).toMatch(/--strict, and these never happened: \w+/);
  });

  test("stop at the first failure, and tell how to replay it", async () => {
    const result = await run(["--seeds", "1000000", "--base", "1"], broken);
    expect(result.exitCode).toBe(1);
    expect(result.output).toMatch(/^seed [567]: CheckFailure: planted$/m);
    expect(result.output).toMatch(/^pnpm simulate --seed [567]\b/m);
    expect(result.stdout).toBe("");
  });

  test("end at once when they are interrupted, with what was done so far", async () => {
    const child = spawn(process.execPath, [cli, "--seeds", "1000000", "--base", "1"], {
      cwd: repositoryRoot,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.once("data", () => child.kill("SIGINT"));
    const exitCode = await new Promise(resolve => child.on("close", resolve));
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(
      /^interrupted: \d+ of 1000000 seeds from 1; nothing was broken in them\n\d+ steps/,
    );
  });
});

describe("one seed", () => {
  test("is replayed, with the same counts each time", async () => {
    const runs = await Promise.all([0, 1].map(() => run(["--seed", "42", "--steps", "100"])));
    const counts = runs.map(({ stdout }) => stdout.split("\n").toSpliced(1, 1));
    expect(counts[0]?.[0]).toBe("seed 42: nothing was broken");
    expect(counts[1]).toEqual(counts[0]);
  });

  test("that fails says so", async () => {
    const result = await run(["--seed", "6"], broken);
    expect(result.exitCode).toBe(1);
    expect(result.output).toContain("seed 6: CheckFailure: planted");
  });
});

describe("wrong options", () => {
  test.each([
    [["--seeds", "0"], "It must be an integer from 1 to"],
    [["--seed", "one"], "It must be an integer from 0 to"],
    [["--without", `${faultKinds[0]},rain`], `There is no "rain". Allowed are ${faultKinds.join(", ")}.`],
    [["--seed", "1", "--base", "2"], "'--seed <n>' cannot be used with option '--base <n>'"],
    [["--rain"], "--without <kinds>"],
    [["rain"], "--without <kinds>"],
  ])("%j is an error that names what is allowed", async (args, text) => {
    const result = await run(args);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toBe("");
    expect(result.output).toMatch(/^error: /);
    expect(result.output).toContain(text);
    expect(result.output).not.toMatch(/^ +at /m);
  });
});
