import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OutputFolder } from "../../dist/profile/output.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-output-"));
});
afterEach(() => rm(folder, { recursive: true }));

const files = (...names: string[]): Map<string, string> =>
  new Map(names.map(name => [name, `this is ${name}`]));

test("the folder is made, and what a run has written is replaced by the next one", async () => {
  const out = join(folder, "a/b");
  await new OutputFolder(out, false).prepare(["index.html"]);
  await new OutputFolder(out, false).write(files("index.html", "learner-1.cpuprofile"), { run: 1 });
  await new OutputFolder(out, false).write(files("index.html", "learner-0.cpuprofile"), { run: 2 });
  expect((await readdir(out)).sort()).toEqual(["index.html", "learner-0.cpuprofile", "profile.json"]);
  expect(JSON.parse(await readFile(join(out, "profile.json"), "utf8"))).toMatchObject({ run: 2 });
});

test("a file of somebody else is left alone, unless it is to be overwritten", async () => {
  await writeFile(join(folder, "index.html"), "mine");
  await writeFile(join(folder, "notes.txt"), "mine too");
  const out = new OutputFolder(folder, false);
  await expect(out.prepare(["index.html"])).rejects.toThrow(/did not write: index\.html.*--force/);
  await expect(out.write(files("index.html"), {})).rejects.toThrow(/--force/);
  expect(await readFile(join(folder, "index.html"), "utf8")).toBe("mine");
  await new OutputFolder(folder, true).write(files("index.html"), {});
  expect(await readFile(join(folder, "index.html"), "utf8")).toBe("this is index.html");
  expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("mine too");
});

test("a list of files that leads elsewhere removes nothing there", async () => {
  const victim = join(folder, "victim");
  await writeFile(victim, "keep");
  const out = join(folder, "out");
  await new OutputFolder(out, false).prepare([]);
  const list = { writtenBy: "synod-bench profile", files: ["../victim", "profile.json"] };
  await writeFile(join(out, "profile.json"), JSON.stringify(list));
  await new OutputFolder(out, false).write(files("index.html"), {});
  expect(await readFile(victim, "utf8")).toBe("keep");
});

test("a file in the place of the folder is an error that says so", async () => {
  const file = join(folder, "taken");
  await writeFile(file, "");
  await expect(new OutputFolder(file, false).prepare([])).rejects.toThrow(/a file of this name.*--out/);
});
