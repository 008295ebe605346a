import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { fixture } from "./support.js";

const script = fileURLToPath(fixture("lifecycle.mjs"));

describe.each(["ring", "port"])("a process with a cluster, %s", mailbox => {
  test.each([
    ["close", "CLUSTER_CLOSED,CLUSTER_CLOSED,CLUSTER_CLOSED\n"],
    ["idle-close", "closed\n"],
    ["open-propose", "settled null\n"],
    ["idle", "idle\n"],
    ["failed-start", "STATE_MACHINE_NOT_LOADED\n"],
  ])("%s: ends by itself, with code 0 and nothing on stderr", async (how, expected) => {
    // execFile rejects for another code than 0; the timeout ends a process that does not end by itself.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, how, mailbox], {
      timeout: 30_000,
    });
    expect(stdout).toBe(expected);
    expect(stderr).toBe("");
  });
});
