import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResultLine, RowLine } from "../../dist/results/format.js";
import { parseResults } from "../../dist/results/reader.js";
import { percentileCurve } from "../../dist/sweep-report/charts/percentiles.js";
import { compareFiles, verdictOf } from "../../dist/sweep-report/compare.js";
import { html } from "../../dist/sweep-report/html.js";
import { renderPage } from "../../dist/sweep-report/page.js";
import { pointsOf } from "../../dist/sweep-report/points.js";
import { labelled, writeReport } from "../../dist/sweep-report/run.js";
import { warningsOf } from "../../dist/sweep-report/warnings.js";
import { sampleLines, textOf } from "./sample-results.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-report-"));
});
afterAll(() => rm(folder, { recursive: true }));

const filesOf = (...contents: readonly (readonly ResultLine[])[]) =>
  labelled(contents.map((lines, index) => parseResults(Buffer.from(textOf(lines)), `${index}.jsonl`)));
const warningsIn = (...contents: readonly (readonly ResultLine[])[]) => {
  const files = filesOf(...contents);
  return warningsOf(files, pointsOf(files));
};
const rowsIn = (lines: readonly ResultLine[]) => lines.filter(line => line.kind === "row");
const write = async (name: string, content: string) => {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
};

test("text from a file can't become markup", () => {
  expect(html`<p title="${'"'}">${"<script>"}${[html`<b>${"&"}</b>`, null]}</p>`.text).toBe(
    '<p title="&#34;">&#60;script&#62;<b>&#38;</b></p>',
  );
  const lines = sampleLines({ seed: 1, clients: [1], warnings: ["<img src=x onerror=alert(1)>"] });
  expect(renderPage(filesOf(lines))).not.toMatch(/<img|<script|<64 cores/);
});

test("a page needs nothing from elsewhere", () => {
  const page = renderPage(filesOf(sampleLines({ seed: 1 })));
  expect(page).not.toMatch(/<script|<link|@import|url\(|\b(src|href)="(?!#)/);
});

test("what differs is told with its interval, what does not as no difference", () => {
  const base = { clients: [256], batches: [64], pipelines: [1, 4], repeats: 6, noise: 0.02 } as const;
  const compare = (factor: number) => {
    const files = filesOf(sampleLines({ ...base, seed: 1 }), sampleLines({ ...base, seed: 2, factor }));
    return compareFiles(files[0]!, files[1]!, pointsOf(files)).pairs;
  };
  expect(compare(1.5)).toHaveLength(2);
  for (const { commitsPerSecond, p99 } of compare(1.5)) {
    expect(verdictOf(commitsPerSecond)).toMatch(/^1\.[45]\d x \(1\.\d{3} to 1\.\d{3}\)$/);
    expect(verdictOf(p99)).toMatch(/^0\.\d\d x/);
  }
  for (const { commitsPerSecond } of compare(1)) expect(verdictOf(commitsPerSecond)).toBe("no difference");
});

test("of what was measured once nobody can say whether it differs", () => {
  const base = { clients: [256], batches: [64], pipelines: [1] } as const;
  const files = filesOf(
    sampleLines({ ...base, seed: 1 }),
    sampleLines({ ...base, seed: 2, factor: 3, repeats: 1 }),
  );
  const [pair] = compareFiles(files[0]!, files[1]!, pointsOf(files)).pairs;
  expect(verdictOf(pair!.commitsPerSecond)).toBe("not known: measured once");
  expect(renderPage(files)).toContain("1 not known, measured once in one of the files");
});

test("two files are compared, and what else differs between them is told", () => {
  const files = filesOf(
    sampleLines({ seed: 1, clients: [1, 256] }),
    sampleLines({ seed: 2, clients: [256], synod: "0.2.0" }),
  );
  const { pairs, onlyFirst, onlySecond, caveats } = compareFiles(files[0]!, files[1]!, pointsOf(files));
  expect([pairs.length, onlyFirst, onlySecond]).toEqual([16, 16, 0]);
  expect(caveats.join("\n")).toMatch(/not in turns.*\nSynod differs: 0\.1\.0 in A, 0\.2\.0 in B/s);
  expect(renderPage(files)).toContain("B compared with A");
  expect(renderPage(filesOf(...[1, 2, 3].map(seed => sampleLines({ seed }))))).not.toContain("compared with");
  const apart = filesOf(sampleLines({ seed: 1, clients: [1] }), sampleLines({ seed: 2, clients: [2] }));
  expect(renderPage(apart)).toContain("no settings in common");
});

test("a curve of percentiles counts all repeats, and ends with the slowest command", () => {
  const row = (histogram: [number, number][]) => ({ latencyUs: { histogram } }) as unknown as RowLine;
  const curve = percentileCurve([
    row([
      [1000, 50],
      [2000, 40],
    ]),
    row([
      [1000, 0],
      [4000, 9],
      [9000, 1],
    ]),
  ]);
  expect(curve).toEqual([
    { oneIn: 1, latencyMs: 1 },
    { oneIn: 2, latencyMs: 1 },
    { oneIn: 10, latencyMs: 2 },
    { oneIn: 100, latencyMs: 4 },
    { oneIn: 100, latencyMs: 9 },
  ]);
  expect(percentileCurve([row([])])).toEqual([]);
});

test("what was not measured is said, not drawn as nothing", () => {
  const lines = sampleLines({ seed: 1, clients: [1], batches: [8], pipelines: [1], stages: false });
  const bare = lines.map(line =>
    line.kind === "row" ? { ...line, cpu: null, commits: 0, commitsPerSecond: 0 } : line,
  );
  const empty = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0, histogram: [] };
  const page = renderPage(
    filesOf(bare.map(line => (line.kind === "row" ? { ...line, latencyUs: empty } : line))),
  );
  expect(page).toContain(
    "Not measured: these files hold no times of stages, which synod-bench sweep --stages has.",
  );
  expect(page).toContain("Not measured: these files hold no CPU times.");
  expect(page).toContain("Not measured: no row has a histogram.");
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

test("reasons for doubt are at the top", () => {
  const quiet = sampleLines({ seed: 1, clients: [1], noise: 0.01 });
  expect(warningsIn(quiet)).toEqual([]);
  expect(warningsIn(quiet.slice(0, -1))).toEqual([expect.stringMatching(/did not come to its end/)]);
  expect(warningsIn(sampleLines({ seed: 1, clients: [1], repeats: 1 }))).toEqual([
    expect.stringMatching(/measured twice/),
  ]);
  expect(warningsIn(sampleLines({ seed: 1, clients: [1], noise: 0.5 }))).toEqual([
    expect.stringMatching(/smaller differences/),
  ]);
  const [run, ...rest] = quiet;
  const moved = { ...run, host: { ...(run as { host: object }).host, cores: 64 } } as ResultLine;
  expect(warningsIn([run!, moved, ...rest])).toEqual([
    expect.stringMatching(/another machine: .*8 cores; .*64 cores/),
  ]);
  const busy = quiet.map((line, index) =>
    line.kind === "row" ? { ...line, warnings: [`busy: ${index}%`] } : line,
  );
  const rows = rowsIn(quiet).length;
  expect(warningsIn(busy, quiet)).toEqual([`A: busy: 1% (in ${rows} of ${rows} rows, with other figures)`]);
});

test("a file that was cut is drawn as far as it goes, with a warning", async () => {
  const text = textOf(sampleLines({ seed: 1, clients: [1] }));
  const file = await write("cut.jsonl", text.slice(0, -2000));
  const out = join(folder, "cut.html");
  await writeReport([file], out);
  expect(await readFile(out, "utf8")).toMatch(/ends in the middle of a line.*did not come to its end/s);
});

test.each([
  ["nothing", "", "RESULT_EMPTY", /holds no row/],
  ["a run only", textOf(sampleLines({ seed: 1 }).slice(0, 1)), "RESULT_EMPTY", /holds no row/],
  [
    "another schema",
    textOf(sampleLines({ seed: 1 })).replace('"schema":1', '"schema":2'),
    "RESULT_SCHEMA",
    /schema 2/,
  ],
  ["something else", "commits\n1\n", "RESULT_MALFORMED", /line 1 of .*is not what synod-bench sweep writes/],
])("a file with %s is an error that says what to do", async (name, content, code, message) => {
  const file = await write(`${name}.jsonl`, content);
  const report = writeReport([file], join(folder, "never.html"));
  await expect(report).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await expect(readFile(join(folder, "never.html"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a file that is not there, too many files, and a report over its own source are errors", async () => {
  const file = await write("good.jsonl", textOf(sampleLines({ seed: 1, clients: [1] })));
  const absent = join(folder, "absent.jsonl");
  await expect(writeReport([absent], join(folder, "x.html"))).rejects.toMatchObject({
    code: "RESULT_NOT_READ",
  });
  await expect(writeReport([file], join(folder, ".", "good.jsonl"))).rejects.toMatchObject({
    code: "REPORT_IMPOSSIBLE",
  });
  await expect(writeReport(Array(9).fill(file), join(folder, "x.html"))).rejects.toMatchObject({
    code: "REPORT_IMPOSSIBLE",
  });
});
