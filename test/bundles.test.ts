// The program of docs/guide/bundlers.md, bundled as the page says, and run where no package can be found.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks } from "./support/markdown.js";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

// The sources lie inside the repository, where the bundler finds the packages; the bundle goes elsewhere.
mkdirSync(join(repositoryRoot, ".tmp"), { recursive: true });
const sources = mkdtempSync(join(repositoryRoot, ".tmp", "bundles-"));
const elsewhere = mkdtempSync(join(tmpdir(), "synod-bundles-"));
afterAll(() => {
  for (const folder of [sources, elsewhere]) rmSync(folder, { recursive: true, force: true });
});

const blocks = new Map(
  codeBlocks(repositoryRoot, "docs/guide/bundlers.md").map(({ info, code }) => [
    info.replace("file=", ""),
    code,
  ]),
);
const block = (file: string) => blocks.get(file) ?? expect.fail(`the page has no block ${file}`);

beforeAll(() => {
  for (const file of ["app.js", "counter.js", "build.js"]) writeFileSync(join(sources, file), block(file));
});

async function bundleAndRun(name: string, entryPoints: Record<string, string>, format: "esm" | "cjs") {
  const outdir = join(elsewhere, name);
  const outExtension: Record<string, string> = { ".js": format === "esm" ? ".mjs" : ".cjs" };
  await build({
    absWorkingDir: sources,
    entryPoints,
    bundle: true,
    platform: "node",
    format,
    outdir,
    outExtension,
    logLevel: "error",
  });
  return runCommand(process.execPath, [join(outdir, `app${outExtension[".js"]}`)], { cwd: elsewhere });
}

test("the bundle that the page builds runs where there are no packages", async () => {
  expectSuccess("build.js", await runCommand(process.execPath, ["build.js"], { cwd: sources }));
  expect(readdirSync(join(sources, "bundle")).sort()).toEqual(["actor.js", "app.js", "counter.js"]);
  const moved = join(elsewhere, "page");
  mkdirSync(moved);
  writeFileSync(join(elsewhere, "package.json"), `{"type":"module"}`);
  expectSuccess("mv", await runCommand("mv", [join(sources, "bundle"), moved], { cwd: elsewhere }));
  const result = await runCommand(process.execPath, [join(moved, "bundle/app.js")], { cwd: elsewhere });
  expectSuccess("bundle/app.js", result);
  expect(result.stdout).toBe("5\n");
});

test("a CommonJS bundle runs, with a machine of a package and an entry that imports another", async () => {
  const app = `
    import { Cluster } from "@synod/runtime";
    import { join } from "node:path";
    import { pathToFileURL } from "node:url";
    const url = name => pathToFileURL(join(__dirname, name));
    async function main() {
      const cluster = await Cluster.start({ stateMachine: url("kv.cjs"), workerUrl: String(url("actor.cjs")) });
      const client = await cluster.connect();
      await client.propose({ op: "set", key: "limit", value: 100 });
      const up = new Promise(resolve => cluster.once("actorUp", resolve));
      await cluster.faults.kill("learner-0");
      await up;
      console.log(await client.query({ op: "get", key: "limit" }));
      await cluster.close();
    }
    main();
  `;
  writeFileSync(join(sources, "app-cjs.js"), app);
  writeFileSync(join(sources, "actor.js"), `import "@synod/runtime/actor-entry";\n`);
  // A class in a CommonJS file: learners import() it and find it under the export's name all the same.
  writeFileSync(join(sources, "kv.js"), `module.exports = require("@synod/runtime/kv").default;\n`);
  const result = await bundleAndRun("cjs", { app: "app-cjs.js", actor: "actor.js", kv: "kv.js" }, "cjs");
  expectSuccess("app.cjs", result);
  expect(result.stdout).toBe("100\n");
});

test("a bundle without workerUrl says what to do", async () => {
  writeFileSync(join(sources, "app-without.js"), block("app.js").replace(/^.*workerUrl.*\n/m, ""));
  const result = await bundleAndRun("without", { app: "app-without.js", counter: "counter.js" }, "esm");
  expect(result.exitCode).toBe(1);
  expect(result.output).toContain("INVALID_OPTIONS");
  expect(result.output).toContain("give its URL as the option workerUrl");
});

test("a class that was bundled into the program is refused: it would start a cluster in each learner", async () => {
  const app = block("app.js")
    .replace(
      /import \{ Cluster.*\n/,
      "$&import Counter from './counter.js';\nCounter.moduleUrl = import.meta.url;\n",
    )
    .replace(/new URL\("counter.js".*\)/, "Counter")
    .replace("actor.js", "actor.mjs");
  writeFileSync(join(sources, "app-class.js"), app);
  const entries = { app: "app-class.js", actor: "@synod/runtime/actor-entry" };
  const result = await bundleAndRun("class", entries, "esm");
  expect(result.exitCode).toBe(1);
  expect(result.output).toContain("STATE_MACHINE_NOT_LOADED");
  expect(result.output).toContain("put it into a module of its own that starts nothing");
});

test("a workerUrl that leads nowhere, or elsewhere, is named", async () => {
  const app = (url: string) => block("app.js").replace("actor.js", url);
  writeFileSync(join(sources, "app-nowhere.js"), app("nowhere.mjs"));
  writeFileSync(join(sources, "app-elsewhere.js"), app("counter.js"));
  const nowhere = await bundleAndRun("nowhere", { app: "app-nowhere.js", counter: "counter.js" }, "esm");
  expect(nowhere.output).toMatch(/ACTOR_FAILED/);
  expect(nowhere.output).toMatch(/nowhere\.mjs/);
  const other = await runCommand(process.execPath, [join(sources, "app-elsewhere.js")], { cwd: sources });
  expect(other.output).toMatch(/ACTOR_FAILED/);
  expect(other.output).toMatch(/workerUrl is file:.*counter\.js/);
});

test("a bundle for browsers builds, and says that it cannot work there", async () => {
  const names = Object.keys(await import("@synod/runtime")).sort();
  const app = `import * as synod from "@synod/runtime";
    const codeOf = promise => promise.catch(error => error.code);
    console.log(Object.keys(synod).sort().join(), await codeOf(synod.Cluster.start({})), await codeOf(synod.connect({})),
      await codeOf(synod.joinReplica({})));`;
  writeFileSync(join(sources, "app-browser.js"), app);
  const outfile = join(elsewhere, "browser.mjs");
  await build({
    absWorkingDir: sources,
    entryPoints: ["app-browser.js"],
    bundle: true,
    platform: "browser",
    format: "esm",
    outfile,
  });
  const result = await runCommand(process.execPath, [outfile], { cwd: elsewhere });
  expect(result.stdout).toBe(`${names.join()}${" UNSUPPORTED_ENVIRONMENT".repeat(3)}\n`);
});
