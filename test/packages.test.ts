// What a user gets: the packed tarballs, installed with npm into an empty project outside this repository.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const manifests = ["core", "runtime"].map(name => {
  const folder = join(repositoryRoot, "packages", name);
  return { folder, ...readJson(join(folder, "package.json")) };
});
const entries: string[] = manifests.flatMap(({ name, exports }) =>
  Object.keys(exports)
    .filter(path => !path.endsWith(".json"))
    .map(path => name + path.slice(1)),
);

const project = mkdtempSync(join(tmpdir(), "synod-packages-"));
afterAll(() => rmSync(project, { recursive: true, force: true }));

beforeAll(async () => {
  const pnpm = join(repositoryRoot, "node_modules/.bin/pnpm");
  mkdirSync(join(project, "tarballs"));
  const dependencies: Record<string, string> = {};
  for (const { name, folder } of manifests) {
    const tarball = `tarballs/${name.replace("@", "").replace("/", "-")}.tgz`;
    const args = ["pack", "--out", join(project, tarball)];
    expectSuccess(`packing ${name}`, await runCommand(pnpm, args, { cwd: folder }));
    dependencies[name] = `file:${tarball}`;
  }
  // The override keeps npm from asking a registry for the core that runtime depends on.
  const overrides = { "@synod/core": "$@synod/core" };
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, dependencies, overrides }));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  expectSuccess("npm install", await runCommand("npm", install, { cwd: project, deadlineMs: 90_000 }));
});

async function runConsumer(file: string, source: string): Promise<void> {
  writeFileSync(join(project, file), source);
  expectSuccess(file, await runCommand(process.execPath, [file], { cwd: project }));
}

test("a package brings its code, types, sources, maps and licence", () => {
  for (const { name } of manifests) {
    const folder = join(project, "node_modules", name);
    for (const file of [
      "dist/index.js",
      "dist/index.js.map",
      "dist/index.d.ts",
      "src/index.ts",
      "README.md",
      "LICENSE",
    ]) {
      expect(existsSync(join(folder, file)), `${name}/${file}`).toBe(true);
    }
  }
});

test("only the runtime has dependencies", () => {
  const [core, runtime] = manifests.map(({ name }) =>
    readJson(join(project, "node_modules", name, "package.json")),
  );
  expect(core.dependencies).toBeUndefined();
  expect(Object.keys(runtime.dependencies)).toEqual([
    "@synod/core",
    "comlink",
    "msgpackr",
    "piscina",
    "valibot",
  ]);
});

test("an ES module imports every entry", () =>
  runConsumer("consumer.mjs", entries.map(entry => `await import(${JSON.stringify(entry)});`).join("\n")));

test("require() loads every entry", () =>
  runConsumer("consumer.cjs", entries.map(entry => `require(${JSON.stringify(entry)});`).join("\n")));

test("the types hold for a strict consumer that checks its libraries", async () => {
  const source = entries
    .map((entry, index) => `export * as entry${index} from ${JSON.stringify(entry)};`)
    .join("\n");
  writeFileSync(join(project, "consumer.mts"), source);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    target: "es2022",
    module: "nodenext",
    lib: ["ES2023", "ES2024.SharedMemory", "ESNext.Disposable"],
    types: ["node"],
    typeRoots: [join(repositoryRoot, "node_modules/@types")],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.mts"] }));
  const tsc = join(repositoryRoot, "node_modules/.bin/tsc");
  expectSuccess("tsc", await runCommand(tsc, ["-p", project], { cwd: project }));
});
