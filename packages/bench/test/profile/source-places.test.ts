import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SourcePlaces } from "../../dist/profile/source-places.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-places-"));
});
afterAll(() => rm(folder, { recursive: true }));

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const doorbell = fileURLToPath(new URL("../../../runtime/dist/mailbox/doorbell.js", import.meta.url));

/** The line, from 0, that holds the text, which must be there once. */
async function lineOf(file: string, text: string): Promise<number> {
  const lines = (await readFile(file, "utf8")).split("\n");
  const found = lines.flatMap((line, index) => (line.includes(text) ? [index] : []));
  expect(found, `${text} in ${file}`).toHaveLength(1);
  return found[0] as number;
}

test("built files lead to their sources, and lines that park a thread are known", async () => {
  const places = new SourcePlaces(root);
  const url = pathToFileURL(doorbell).href;
  const line = await lineOf(doorbell, "Atomics.wait(");
  const source = join(root, "packages/runtime/src/mailbox/doorbell.ts");
  const sourceLine = (await lineOf(source, "Atomics.wait(")) + 1;
  expect(places.find({ url, line })).toEqual({
    text: `packages/runtime/src/mailbox/doorbell.ts:${sourceLine}`,
    owner: "synod",
  });
  expect(places.isWaiting({ url, line })).toBe(true);
  expect(places.isWaiting({ url, line: line - 1 })).toBe(false);
});

test.each(["linked", "inline"] as const)("a bundle with a source map, %s", async sourcemap => {
  const outfile = join(folder, `${sourcemap}.mjs`);
  const entry = fileURLToPath(new URL("../../../runtime/src/mailbox/index.ts", import.meta.url));
  await build({ entryPoints: [entry], bundle: true, outfile, format: "esm", platform: "node", sourcemap });
  const source = join(root, "packages/runtime/src/mailbox/lane.ts");
  const text = "copyToShared(this.bytes, at, source.subarray(0, beforeEnd));";
  const line = await lineOf(outfile, text);
  const found = new SourcePlaces(root).find({ url: pathToFileURL(outfile).href, line });
  expect(found).toEqual({
    text: `packages/runtime/src/mailbox/lane.ts:${(await lineOf(source, text)) + 1}`,
    owner: "synod",
  });
});

test("a file without a map is its own source; one that is gone or no file is no trouble", async () => {
  const file = join(folder, "store.mjs");
  await writeFile(file, "export const a = 1;\n//# sourceMappingURL=gone.map\n");
  const places = new SourcePlaces(folder);
  expect(places.find({ url: pathToFileURL(file).href, line: 0 })).toEqual({
    text: "store.mjs:1",
    owner: "program",
  });
  const gone = pathToFileURL(join(folder, "gone.mjs")).href;
  expect(places.find({ url: gone, line: 4 })?.text).toBe("gone.mjs:5");
  expect(places.find({ url: "node:fs", line: 4 })).toBeUndefined();
  expect(places.isWaiting({ url: gone, line: 4 })).toBe(false);
});

test("other packages are told by their names", async () => {
  const file = fileURLToPath(import.meta.resolve("commander"));
  const found = new SourcePlaces(folder).find({ url: pathToFileURL(file).href, line: 3 });
  expect(found?.owner).toBe("package commander");
  expect(found?.text).toMatch(/^commander\//);
});
