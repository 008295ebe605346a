import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { ProfileReport, ThreadReport } from "../../dist/profile/analyse.js";

const run = promisify(execFile);
const recordLoad = fileURLToPath(new URL("fixtures/record-load.mjs", import.meta.url));
const runtime = new URL("../../../runtime/", import.meta.url);

interface Shown extends Omit<ProfileReport, "threads"> {
  readonly threads: readonly (Omit<ThreadReport, "flame"> & { readonly flameMs: number })[];
}

async function reportOf(...options: string[]): Promise<Shown> {
  const { stdout } = await run(process.execPath, [recordLoad, ...options]);
  return JSON.parse(stdout) as Shown;
}

/** `file:line` of the fixture's slow line, as the sentence has it. */
async function slowLine(name: string): Promise<string> {
  const text = await readFile(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)), "utf8");
  const line = text.split("\n").findIndex(each => each.endsWith("// the slow line"));
  expect(line, `a slow line in ${name}`).toBeGreaterThan(0);
  return `${name}:${line + 1}`;
}

test("a slow line of a state machine is named, with the learner that runs it", async () => {
  const { verdict } = await reportOf("machine");
  expect(verdict).toMatchObject({
    bound: "thread",
    threads: expect.arrayContaining([expect.stringMatching(/^learner-/)]),
  });
  expect(verdict.text).toContain("apply() of your state machine at ");
  expect(verdict.text).toContain(await slowLine("slow-machine.mjs"));
});

test("a slow line of the client's code after a commit is named", async () => {
  const { verdict } = await reportOf("callback");
  expect(verdict).toMatchObject({ bound: "thread", threads: ["client"] });
  expect(verdict.text).toContain(`of your program at `);
  expect(verdict.text).toContain(await slowLine("record-load.mjs"));
});

test("a slow line of an acceptor's storage is named, by the source map of a bundle", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-planted-"));
  try {
    const { workerUrl, line } = await plantSlowStorage(folder);
    const { verdict } = await reportOf("storage", "256", workerUrl);
    expect(verdict).toMatchObject({
      bound: "thread",
      threads: expect.arrayContaining([expect.stringMatching(/^acceptor-/)]),
    });
    expect(verdict.text).toContain(`of Synod at packages/runtime/src/storage/shared-storage.ts:${line}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("one call at a time: nobody is busy, and the longest hop or stage is named", async () => {
  const { verdict, stages, threads, load } = await reportOf("nowhere", "1");
  expect(verdict).toMatchObject({ bound: "latency", threads: [] });
  expect(verdict.text).toMatch(/^Nobody is busy; .* One commit takes .* 4 hops .* longest.* is /);
  expect(stages.samples).toBeGreaterThan(0);
  // One of eleven commands; those at the ends may be on one side only.
  expect(stages.samples).toBeLessThanOrEqual(load.commits / 11 + 2);
  expect(stages.whole.meanMs).toBeGreaterThan(0);
  const named = threads.map(({ thread }) => thread);
  expect(named).toEqual([
    "client",
    "proposer-0",
    "acceptor-0",
    "acceptor-1",
    "acceptor-2",
    "learner-0",
    "learner-1",
  ]);
  for (const { busyShare, parkedShare, wakeUpsPerSecond, framesPerWakeUp, flameMs } of threads) {
    expect(busyShare + parkedShare).toBeCloseTo(1, 6);
    expect(wakeUpsPerSecond).toBeGreaterThan(0);
    expect(framesPerWakeUp).toBeGreaterThan(0);
    expect(flameMs).toBeGreaterThan(0);
  }
});

/** The actors' code in one file, with a slow line where an acceptor makes safe what it accepts. */
async function plantSlowStorage(folder: string): Promise<{ workerUrl: string; line: number }> {
  const file = fileURLToPath(new URL("src/storage/shared-storage.ts", runtime));
  const find = "if (bytes > 0) this.#place(bytes);";
  const parts = (await readFile(file, "utf8")).split(find);
  expect(parts, `${find} in ${file}, once`).toHaveLength(2);
  const slow = 'for (let turn = 0; turn < 400_000; turn++) if (String(turn) === "") throw new Error();';
  const outfile = join(folder, "actor.cjs");
  await build({
    entryPoints: [fileURLToPath(new URL("src/actor-worker.ts", runtime))],
    bundle: true,
    outfile,
    format: "cjs",
    platform: "node",
    sourcemap: true,
    logLevel: "error",
    define: { "import.meta.url": "__filename" },
    plugins: [
      {
        name: "slow-line",
        setup: ({ onLoad }) =>
          onLoad({ filter: /[\\/]shared-storage\.ts$/ }, () => ({
            contents: parts.join(`${slow} ${find}`),
            loader: "ts",
          })),
      },
    ],
  });
  return { workerUrl: pathToFileURL(outfile).href, line: (parts[0] as string).split("\n").length };
}
