// What is said where Synod cannot run, or has little to run on.
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import {
  actorThreads,
  checkEnvironment,
  type Environment,
  fewCoresWarning,
  readCores,
  readEnvironment,
} from "../../dist/environment.js";
import { fixture } from "../support.js";

const run = promisify(execFile);
const complete: Environment = {
  nodeVersion: "20.19.0",
  hasSharedMemory: true,
  hasAtomics: true,
  hasWaitAsync: true,
  hasWorkerThreads: true,
};

describe("what is missing", () => {
  const messageFor = (lacks: Partial<Environment>) => {
    try {
      checkEnvironment({ ...complete, ...lacks });
    } catch (error) {
      expect(error).toMatchObject({ name: "SynodError", code: "UNSUPPORTED_ENVIRONMENT" });
      return (error as Error).message;
    }
    return undefined;
  };

  test("is nothing here, and nothing at the least version", () => {
    expect(messageFor(readEnvironment())).toBeUndefined();
    expect(messageFor({})).toBeUndefined();
    expect(messageFor({ nodeVersion: "24.0.0" })).toBeUndefined();
  });

  test.each([
    [{ nodeVersion: "20.18.3" }, "missing: Node.js 20.19 or newer (this is 20.18.3)."],
    [{ nodeVersion: "18.20.0" }, "missing: Node.js 20.19 or newer (this is 18.20.0)."],
    [{ nodeVersion: undefined }, "missing: Node.js 20.19 or newer (this is not Node.js)."],
    [{ hasSharedMemory: false }, "missing: SharedArrayBuffer."],
    [{ hasAtomics: false, hasWaitAsync: false }, "missing: Atomics."],
    [{ hasWaitAsync: false }, "missing: Atomics.waitAsync."],
    [{ hasWorkerThreads: false }, "missing: worker threads with BroadcastChannel (node:worker_threads)."],
    [{ hasSharedMemory: false, hasWaitAsync: false }, "missing: SharedArrayBuffer; Atomics.waitAsync."],
  ])("%j is named", (lacks, text) => expect(messageFor(lacks)).toContain(text));

  // Node 22 and later can't be started without them.
  for (const flag of ["--no-harmony-sharedarraybuffer", "--no-harmony-atomics"]) {
    const isKnown = spawnSync(process.execPath, [flag, "--eval", ""]).status === 0;
    test.skipIf(!isKnown)(`node ${flag}: Cluster.start and connect() say so`, async () => {
      const { stdout } = await run(process.execPath, [flag, new URL(fixture("unsupported.mjs")).pathname]);
      expect(stdout).toBe("UNSUPPORTED_ENVIRONMENT UNSUPPORTED_ENVIRONMENT\n");
    });
  }
});

describe("the cores of a process", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function tree(files: Record<string, string>): string {
    const root = mkdtempSync(join(tmpdir(), "synod-cgroup-"));
    folders.push(root);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  }
  const v2 = { "proc/self/cgroup": "0::/\n" };

  test.each([
    ["no control groups", {}, { cores: 8, bound: "machine" }],
    [
      "a container without a limit",
      { ...v2, "sys/fs/cgroup/cpu.max": "max 100000\n" },
      { cores: 8, bound: "machine" },
    ],
    [
      "a container's limit",
      { ...v2, "sys/fs/cgroup/cpu.max": "150000 100000\n" },
      { cores: 1.5, bound: "cgroup" },
    ],
    [
      "a limit beyond the machine",
      { ...v2, "sys/fs/cgroup/cpu.max": "1600000 100000\n" },
      { cores: 8, bound: "machine" },
    ],
    [
      "the limit of a group above",
      {
        "proc/self/cgroup": "0::/system.slice/app.service\n",
        "sys/fs/cgroup/system.slice/cpu.max": "200000 100000\n",
        "sys/fs/cgroup/system.slice/app.service/cpu.max": "400000 100000\n",
      },
      { cores: 2, bound: "cgroup" },
    ],
    [
      "the first version",
      {
        "proc/self/cgroup": "11:cpu,cpuacct:/docker/1f\n3:memory:/docker/1f\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      },
      { cores: 0.5, bound: "cgroup" },
    ],
    [
      "the first version without a quota",
      {
        "proc/self/cgroup": "1:cpu:/\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      },
      { cores: 8, bound: "machine" },
    ],
    ["what is not understood", { ...v2, "sys/fs/cgroup/cpu.max": "much\n" }, { cores: 8, bound: "machine" }],
  ] as const)("%s", (_, files, cores) => expect(readCores(tree(files), 8)).toEqual(cores));

  test("are enough for a default cluster from two on", () => {
    expect(fewCoresWarning(7, { cores: 2, bound: "machine" })).toBeUndefined();
    expect(fewCoresWarning(7, { cores: 1, bound: "machine" })).toMatch(/^7 threads .* this machine has 1\. /);
    expect(fewCoresWarning(7, { cores: 1.5, bound: "cgroup" })).toMatch(
      /container or control group is 1\.5\. /,
    );
    expect(fewCoresWarning(40, { cores: 8, bound: "machine" })).toContain("this machine has 8");
  });
});

test.each([
  ["isolated", 7],
  ["compact", 3],
  ["single", 1],
] as const)("a default cluster that is %s has %i threads", (threads, count) => {
  expect(actorThreads({ proposers: 2, acceptors: 3, learners: 2, threads })).toBe(count);
});

test("far more actors than cores: one warning with a code, however many clusters", async () => {
  const { stdout } = await run(process.execPath, [new URL(fixture("few-cores.mjs")).pathname]);
  expect(JSON.parse(stdout)).toEqual([
    ["SynodWarning", "SYNOD_FEW_CORES", expect.stringMatching(/^5 threads/)],
  ]);
});
