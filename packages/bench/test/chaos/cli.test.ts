import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../dist/chaos/cli.js", import.meta.url));

describe("wrong options", () => {
  test.each([
    [["--seconds", "0"], "It must be an integer from 3 to"],
    [["--seed", "one"], "It must be an integer from 0 to"],
    [["--faults", "kill-leader,rain"], 'There is no "rain". Allowed are kill-leader, '],
    [["--kill-leader-every-ms", "1000", "--faults", "burst"], "cannot be used with option"],
    [["--acceptors", "1", "--faults", "kill-acceptor"], "does not get over kill-acceptor"],
    [["--rain"], "--kill-leader-every-ms <n>"],
    [["rain"], "--kill-leader-every-ms <n>"],
  ])("%j is an error that names what is allowed", async (args, text) => {
    await expect(run(process.execPath, [cli, ...args])).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(text),
    });
  });
});
