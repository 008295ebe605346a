import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { EndLine } from "../../dist/results/format.js";
import { parseResults, readResults } from "../../dist/results/reader.js";
import { ResultWriter } from "../../dist/results/writer.js";
import { rowOf, runLine } from "../sweep/rows.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const lines = (...all: object[]): string => all.map(line => `${JSON.stringify(line)}\n`).join("");
const end: EndLine = { kind: "end", at: "2026-01-01T00:00:00.000Z", rows: 1 };

test("a file is read as it was written, unknown fields and all", () => {
  const text = lines({ ...runLine, later: 1 }, { ...rowOf({}, 100), later: [2] }, end);
  const results = parseResults(bytes(text), "a.jsonl");
  expect(results.runs).toEqual([{ ...runLine, later: 1 }]);
  expect(results.rows).toEqual([{ ...rowOf({}, 100), later: [2] }]);
  expect(results).toMatchObject({ end, warnings: [], wholeBytes: bytes(text).length });
});

test("a resumed run is at its end only when its own end is there", () => {
  const text = lines(runLine, rowOf({}, 1), end, runLine, rowOf({}, 2));
  expect(parseResults(bytes(text), "a.jsonl")).toMatchObject({ end: null, runs: [{}, {}], rows: [{}, {}] });
});

test("a file that was cut ends with its last whole line, wherever the cut is", () => {
  const text = lines(runLine, rowOf({}, 100), rowOf({}, 200));
  const whole = lines(runLine, rowOf({}, 100));
  for (const cut of [whole.length + 1, whole.length + 40, text.length - 1]) {
    const results = parseResults(bytes(text.slice(0, cut)), "a.jsonl");
    expect(results.rows).toHaveLength(1);
    expect(results.wholeBytes).toBe(bytes(whole).length);
    expect(results.warnings).toEqual([expect.stringMatching(/a\.jsonl ends in the middle of a line/)]);
  }
  expect(parseResults(bytes('{"kind":"ru'), "a.jsonl")).toMatchObject({ runs: [], wholeBytes: 0 });
});

test("another schema is refused with what to do; a kind of a later version is passed over", () => {
  const error = {
    code: "RESULT_SCHEMA",
    message: expect.stringMatching(/schema 2.*reads 1.*use the version/),
  };
  expect(() => parseResults(bytes(lines({ ...runLine, schema: 2 })), "a")).toThrow(
    expect.objectContaining(error),
  );
  const results = parseResults(bytes(lines(runLine, { kind: "chart" }, rowOf({}, 1))), "a");
  expect(results.rows).toHaveLength(1);
  expect(results.warnings).toEqual([expect.stringContaining('"chart"')]);
});

test("what is no result is refused with its place", () => {
  const { commits: _, ...cut } = rowOf({}, 1);
  for (const [text, place] of [
    ["{}\n", "line 1 of a"],
    ["[1]\n", "line 1 of a"],
    ["stage,repeat\n", "line 1 of a"],
    [lines(rowOf({}, 1)), "line 1 of a"],
    [lines(runLine, cut), "commits in line 2 of a"],
    [lines(runLine, rowOf({ mailbox: "post" as "port" }, 1)), "settings.mailbox in line 2 of a"],
  ] as const) {
    const error = { code: "RESULT_MALFORMED", message: expect.stringContaining(place) };
    expect(() => parseResults(bytes(text), "a")).toThrow(expect.objectContaining(error));
  }
});

test("a writer goes on behind the last whole line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "synod-results-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "a.jsonl");
  await writeFile(file, lines(runLine, rowOf({}, 100)).slice(0, -3));
  const { wholeBytes } = await readResults(file);
  const writer = await ResultWriter.open(file, wholeBytes);
  await writer.write(rowOf({}, 200), end);
  await writer.close();
  expect(await readFile(file, "utf8")).toBe(lines(runLine, rowOf({}, 200), end));
});
