import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderAdaptive } from "../dist/adaptive-table.js";
import type { AdaptiveRow, Finalist } from "../dist/experiments/adaptive.js";
import { fixedSettings } from "../dist/fixed-settings.js";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

test("only settings that differ with so many clients are tried", () => {
  expect(fixedSettings(1)).toEqual([{ commandsMax: 1, batchesMax: 1 }]);
  expect(fixedSettings(2).map(({ commandsMax, batchesMax }) => [commandsMax, batchesMax])).toEqual([
    [1, 1],
    [1, 4],
    [4, 1],
    [4, 4],
  ]);
  expect(fixedSettings(16)).toHaveLength(9);
  expect(fixedSettings(4096)).toHaveLength(21);
  expect(fixedSettings(4096)).toEqual(fixedSettings(16_384));
  expect(fixedSettings(4096)).toContainEqual({ commandsMax: 4096, batchesMax: 16 });
});

test("the table shows the default and the best fixed setting in 100 columns", () => {
  const finalist: Finalist = {
    setting: null,
    samples: [],
    commitsPerSecond: 1_234_567,
    commitsPerSecondSpread: 12.3,
    latencyMs: { p50: 1234, p99: 5678 },
    commandsPerAccept: 1023.4,
  };
  const fixed = { ...finalist, setting: { commandsMax: 4096, batchesMax: 16 } };
  const row: AdaptiveRow = {
    clients: 4096,
    adaptive: finalist,
    fixed: [fixed],
    ratio: 0.987,
    ratioSpread: 17.4,
    differs: false,
    coarse: [],
  };
  const lines = stripVTControlCharacters(renderAdaptive([row])).split("\n");
  expect(lines[1]).toMatch(/^4,096 +adaptive +1,234,567 +12.3% +1,234 +5,678 +1,023$/);
  expect(lines[2]).toMatch(/^ +batch 4096, pipeline 16 .*0.99 x ±17.4%$/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
});

test("a tiny run compares with the best fixed setting and verifies all", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-adaptive-"));
  try {
    const json = join(folder, "result.json");
    const small = ["adaptive", "--clients", "2", "--seconds", "0.08", "--json", json];
    const { stdout } = await run(process.execPath, [cli, ...small]);
    expect(stdout).toContain("adaptive / fixed");
    const { rows } = JSON.parse(await readFile(json, "utf8")) as { rows: AdaptiveRow[] };
    expect(rows).toHaveLength(1);
    const { clients, adaptive, fixed, ratio, coarse } = rows[0] as AdaptiveRow;
    expect([clients, fixed.length, coarse.length]).toEqual([2, 3, 4]);
    expect(adaptive.setting).toBeNull();
    expect(adaptive.commandsPerAccept).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(adaptive.commitsPerSecond / fixed[0].commitsPerSecond);
    const rates = fixed.map(({ commitsPerSecond }) => commitsPerSecond);
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    for (const { commitsPerSecond } of coarse) expect(commitsPerSecond).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
