// The report as Chromium draws it: on screens that are light, dark and narrow, and on paper.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { keyOf, type RowLine, type Settings } from "../../dist/results/format.js";
import { writeReport } from "../../dist/sweep-report/run.js";
import { type Sample, sampleLines, textOf } from "../sweep-report/sample-results.js";
import { findChromium, startChromium, withoutChromium } from "./chromium.js";
import { type Drawn, lookAt } from "./drawn.js";

const chromium = findChromium();
const small = { clients: [1, 4096], batches: [1, 64, 1024, "adaptive"] } as const;
const grid: Sample = {
  ...small,
  seed: 1,
  rates: [50_000, 100_000, 150_000, 220_000, 500_000],
  warnings: ["it was busy"],
};
const other: Sample = { ...small, seed: 2, factor: 1.2, noise: 0.1 };
const large: Sample = {
  seed: 3,
  repeats: 2,
  clients: [1, 4096],
  batches: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, "adaptive"],
  pipelines: [1, 2, 4, 8, 16, 32, 64, "adaptive"],
  stages: false,
};
const tiny: Sample = {
  seed: 4,
  threads: "compact",
  repeats: 1,
  clients: [64],
  batches: [32],
  pipelines: [4],
};
const pages = {
  grid: [grid],
  compared: [grid, other],
  "side by side": [grid, other, { ...other, seed: 5 }],
  large: [large],
  tiny: [tiny],
} as const satisfies Record<string, readonly Sample[]>;
type PageName = keyof typeof pages;
const wide = { width: 1280, height: 800 };
const views = {
  light: { viewport: wide, colorScheme: "light", media: "screen" },
  dark: { viewport: wide, colorScheme: "dark", media: "screen" },
  narrow: { viewport: { width: 390, height: 800 }, colorScheme: "dark", media: "screen" },
  // As wide as a sheet of A4 between its margins.
  paper: { viewport: { width: 688, height: 1000 }, colorScheme: "dark", media: "print" },
} as const;
type ViewName = keyof typeof views;

/** What was seen of a page. */
interface Seen {
  readonly drawings: readonly Drawn[];
  readonly tableRows: number;
  readonly requests: readonly string[];
  readonly errors: readonly string[];
  /** Of the page, in pixels of its width. */
  readonly overflow: number;
  /** From 0 for black to 255. */
  readonly background: number;
}

let browser: Browser | undefined;
let page: Page;
let folder = "";
const files = new Map<PageName, string>();

beforeAll(async () => {
  if (chromium === undefined) return;
  folder = await mkdtemp(join(tmpdir(), "synod-report-"));
  for (const [name, samples] of Object.entries(pages) as [PageName, readonly Sample[]][]) {
    const results = samples.map((_, index) => join(folder, `${name}-${index}.jsonl`));
    await Promise.all(samples.map((of, index) => writeFile(results[index]!, textOf(sampleLines(of)))));
    files.set(name, join(folder, `${name}.html`));
    await writeReport(results, files.get(name)!);
  }
  browser = await startChromium(chromium);
  page = await browser.newPage();
});

beforeEach(context => {
  if (browser === undefined) context.skip(withoutChromium);
});

afterAll(async () => {
  await browser?.close();
  if (folder !== "") await rm(folder, { recursive: true });
});

async function see(name: PageName, view: ViewName): Promise<Seen> {
  const { viewport, ...media } = views[view];
  await page.setViewportSize(viewport);
  await page.emulateMedia(media);
  const requests: string[] = [];
  const errors: string[] = [];
  page.removeAllListeners();
  page.on("request", request => requests.push(request.url()));
  page.on("console", message => errors.push(message.text()));
  page.on("pageerror", error => errors.push(error.message));
  await page.goto(pathToFileURL(files.get(name)!).href);
  return {
    drawings: await lookAt(page),
    tableRows: await page.locator("#rows tbody tr").count(),
    requests,
    errors,
    overflow: await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth"),
    background: await page.evaluate<number>(
      "Math.max(...getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3))",
    ),
  };
}

const rowsOf = (samples: readonly Sample[], mode?: Settings["mode"]): RowLine[] =>
  samples
    .flatMap(sampleLines)
    .filter(line => line.kind === "row")
    .filter(({ settings }) => mode === undefined || settings.mode === mode);
/** Different settings, of each file for itself. */
const settingsOf = (samples: readonly Sample[], mode?: Settings["mode"]) =>
  samples.flatMap(sample => [...new Set(rowsOf([sample], mode).map(row => keyOf(row.settings)))]);
const count = (drawings: readonly Drawn[], kind: string) =>
  drawings.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0);

/** Shapes are the same in all views, so that the other pages need one of them. */
const looks: readonly (readonly [PageName, ViewName])[] = [
  ...(Object.keys(views) as ViewName[]).flatMap(view => [
    ["grid", view] as const,
    ["compared", view] as const,
  ]),
  ...[["side by side", "light"] as const, ["large", "paper"] as const, ["tiny", "dark"] as const],
];

test.each(looks)(
  "the report of %s, %s: inside, apart, readable, and nothing is loaded",
  async (name, view) => {
    const seen = await see(name, view);
    const faults = seen.drawings.flatMap(({ title, faults }) => faults.map(fault => `${title}: ${fault}`));
    expect(faults).toEqual([]);
    expect(seen.errors).toEqual([]);
    expect(seen.requests).toEqual([pathToFileURL(files.get(name)!).href]);
    expect(seen.overflow).toBeLessThanOrEqual(0);
    if (view === "light" || view === "paper") expect(seen.background).toBeGreaterThan(240);
    else expect(seen.background).toBeLessThan(64);
  },
);

test("every row, cell and pair is a mark, and axes have numbers", async () => {
  const { drawings, tableRows } = await see("compared", "light");
  const samples = pages.compared;
  expect(tableRows).toBe(rowsOf(samples).length);
  expect(count(drawings, "rows")).toBe(rowsOf(samples, "closed").length);
  expect(drawings.filter(({ counts }) => "fastest" in counts).length).toBe(4);
  const maps = drawings.filter(({ counts }) => "fastest" in counts);
  expect(count(maps, "cells")).toBe(settingsOf(samples, "closed").length);
  const open = drawings.filter(({ title }) => title === "Open loop, by rate, p99");
  expect(count(open, "points") + count(open, "saturated")).toBe(settingsOf(samples, "open").length);
  // The last rate is more than the sample can do.
  expect(count(open, "saturated")).toBe(1);
  expect(drawings.map(({ counts }) => counts.ratios).filter(Boolean)).toEqual([20, 20]);
  for (const { title, xTicks, yTicks } of drawings) {
    expect(xTicks, title).toBeGreaterThan(1);
    expect(yTicks, title).toBeGreaterThan(1);
  }
});
