import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type ChaosResult, rateBetween } from "../../dist/chaos/result.js";

const cli = fileURLToPath(new URL("../../dist/chaos/cli.js", import.meta.url));

/** Faults that keep the run short are as far apart as an election takes; most then meet a cluster that is not whole. */
const short = ["--seconds", "7", "--every-ms", "700"];

/** Runs it in a process of its own, whose threads, handles and memory are nobody else's. */
async function chaos(
  args: readonly string[],
  onStderr: (text: string, child: ReturnType<typeof spawn>) => void = () => undefined,
): Promise<{ exitCode: number | null; output: string; result: ChaosResult }> {
  const folder = await mkdtemp(join(tmpdir(), "synod-chaos-"));
  try {
    const file = join(folder, "result.json");
    const child = spawn(process.execPath, [cli, ...args, "--out", file], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onStderr(text, child);
    });
    const exitCode = await new Promise<number | null>(resolve => child.on("close", resolve));
    const json = await readFile(file, "utf8").catch(() => {
      throw new Error(`it ended with ${exitCode} and without a result:\n${output}`);
    });
    return { exitCode, output, result: JSON.parse(json) as ChaosResult };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function expectSound({ exitCode, output, result }: Awaited<ReturnType<typeof chaos>>): void {
  expect(result.violations, output).toEqual([]);
  expect(exitCode, output).toBe(0);
  expect(result.counted).toMatchObject({ lost: 0, duplicated: 0 });
  expect(result.checked).toMatchObject({ notLinearizable: 0, undecided: 0 });
  expect(result.unsettled).toBe(0);
  // It proves something only if something happened.
  expect(result.counted.acknowledged).toBeGreaterThan(1000);
  expect(result.checked.operations).toBeGreaterThan(500);
  for (const fault of result.faults) expect(fault.everyMs, fault.what).not.toBeNull();
}

test("a cluster gets over the faults of a fixed seed", async () => {
  const ran = await chaos(["--seed", "1", ...short]);
  expectSound(ran);
  expect(ran.result.faults.length).toBeGreaterThan(3);
});

test("a cluster gets over the faults of a fresh seed", async () => {
  const ran = await chaos(short);
  console.log(
    `chaos: seed ${ran.result.options.seed}, ${ran.result.faults.map(({ kind }) => kind).join(", ")}`,
  );
  expectSound(ran);
});

test("a cluster gets over the faults of threads that several actors share", async () => {
  const ran = await chaos(["--seed", "3", "--seconds", "4", "--every-ms", "1000", "--threads", "compact"]);
  expectSound(ran);
  expect(ran.result.faults.length).toBeGreaterThan(1);
});

test("commits are counted before, while and after leaders are killed", async () => {
  const ran = await chaos(["--seed", "1", "--seconds", "6", "--kill-leader-every-ms", "1000"]);
  expectSound(ran);
  expect(new Set(ran.result.faults.map(({ kind }) => kind))).toEqual(new Set(["kill-leader"]));
  expect(ran.result.phases.map(({ name }) => name)).toEqual(["before", "during", "after"]);
  const [before, during, after] = ran.result.phases;
  for (const { atMs } of ran.result.faults) expect(atMs).toBeGreaterThanOrEqual(before!.untilMs);
  for (const { fromMs, untilMs } of [before!, during!, after!]) {
    expect(rateBetween(ran.result.timeline.commits, fromMs, untilMs)).toBeGreaterThan(0);
  }
});

test("an interrupted run still checks what was done", async () => {
  let isInterrupted = false;
  const ran = await chaos(["--seed", "2", "--seconds", "3600", "--faults", "kill-leader"], (text, child) => {
    if (isInterrupted || !text.includes("kill-leader")) return;
    isInterrupted = true;
    child.kill("SIGINT");
  });
  expect(ran.result.violations, ran.output).toEqual([]);
  expect(ran.result.interrupted).toBe(true);
  expect(ran.exitCode).toBe(130);
  expect(ran.result.checked.operations).toBeGreaterThan(0);
  expect(ran.result.counted.acknowledged).toBeGreaterThan(0);
});
