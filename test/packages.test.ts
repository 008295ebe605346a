// What a user gets: the packed tarballs, installed with npm and with pnpm into empty projects outside this repository,
// without a registry.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installProject, manifests, packAll, readJson } from "./support/packed-project.js";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const entries: string[] = manifests.flatMap(({ name, exports }) =>
  Object.keys(exports)
    .filter(path => !path.endsWith(".json"))
    .map(path => name + path.slice(1)),
);
/** Everything but what only a cluster's thread may load. */
const importable = entries.filter(entry => entry !== "@synod/runtime/actor-entry");

const folder = mkdtempSync(join(tmpdir(), "synod-packages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const projects = { npm: join(folder, "npm"), pnpm: join(folder, "pnpm") };

beforeAll(async () => {
  const tarballs = await packAll(join(folder, "tarballs"));
  const install = (by: "npm" | "pnpm") => installProject(projects[by], tarballs, { by });
  await Promise.all([install("npm"), install("pnpm")]);
});

async function runConsumer(project: string, file: string, source: string): Promise<string> {
  writeFileSync(join(project, file), source);
  const result = await runCommand(process.execPath, [file], { cwd: project });
  expectSuccess(file, result);
  return result.stdout;
}

/** A program that uses a cluster, from where `Cluster` and `KeyValueStore` are defined on. */
const program = `
  async function main() {
    const cluster = await Cluster.start({ stateMachine: KeyValueStore });
    const client = await cluster.connect();
    await client.propose({ op: "set", key: "limit", value: 100 });
    console.log(await client.query({ op: "get", key: "limit" }));
    await cluster.close();
  }
  main();
`;

describe.each(["npm", "pnpm"] as const)("installed with %s", by => {
  const project = projects[by];

  test("a package brings its code, types, sources, maps and licence", () => {
    for (const { name } of manifests) {
      for (const file of [
        "dist/index.js",
        "dist/index.js.map",
        "dist/index.d.ts",
        "src/index.ts",
        "README.md",
        "LICENSE",
      ]) {
        expect(existsSync(join(project, "node_modules", name, file)), `${name}/${file}`).toBe(true);
      }
    }
  });

  test("threads run the file that was made of all their modules", async () => {
    const machine = `module.exports = class {
      apply() { return Object.keys(require.cache).filter(path => /actor-[^/]*$/.test(path)); }
      *snapshot() {}
      async restore() {}
    };`;
    writeFileSync(join(project, "cache.cjs"), machine);
    const source = `import { Cluster } from "@synod/runtime";
      import { basename } from "node:path";
      const cluster = await Cluster.start({ stateMachine: new URL("cache.cjs", import.meta.url) });
      const client = await cluster.connect();
      for (const path of await client.propose("look")) console.log(basename(path));
      await cluster.close();`;
    expect(await runConsumer(project, "bundle.mjs", source)).toBe("actor-bundle.cjs\n");
  });

  test("an ES module imports every entry, and runs a cluster", async () => {
    const imports = importable.map(entry => `await import(${JSON.stringify(entry)});`).join("\n");
    const names = `const { Cluster } = await import("@synod/runtime");
      const { KeyValueStore } = await import("@synod/runtime/kv");`;
    expect(await runConsumer(project, "consumer.mjs", `${imports}\n${names}${program}`)).toBe("100\n");
  });

  test("require() loads every entry, and runs a cluster", async () => {
    const requires = importable.map(entry => `require(${JSON.stringify(entry)});`).join("\n");
    const names = `const { Cluster } = require("@synod/runtime");
      const { KeyValueStore } = require("@synod/runtime/kv");`;
    expect(await runConsumer(project, "consumer.cjs", `${requires}\n${names}${program}`)).toBe("100\n");
  });

  test("the types hold for strict ES modules, CommonJS and bundlers", async () => {
    const esm = entries.map((entry, index) => `export * as entry${index} from ${JSON.stringify(entry)};`);
    const cjs = entries.map((entry, index) => `import entry${index} = require(${JSON.stringify(entry)});`);
    const use = importable.map(entry => `void entry${entries.indexOf(entry)};`);
    writeFileSync(join(project, "consumer.mts"), esm.join("\n"));
    writeFileSync(join(project, "consumer.cts"), [...cjs, ...use].join("\n"));
    const base = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      // Once is enough: it is where names are found that differs.
      skipLibCheck: by === "pnpm",
      target: "es2022",
      lib: ["ES2023", "ES2024.SharedMemory", "ESNext.Disposable"],
      types: ["node"],
      typeRoots: [join(repositoryRoot, "node_modules/@types")],
    };
    const variants = {
      nodenext: [{ module: "nodenext" }, ["consumer.mts", "consumer.cts"]],
      bundler: [{ module: "esnext", moduleResolution: "bundler" }, ["consumer.mts"]],
    };
    const tsc = join(repositoryRoot, "node_modules/.bin/tsc");
    for (const [name, [compilerOptions, files]] of Object.entries(variants)) {
      const config = `tsconfig.${name}.json`;
      const content = { compilerOptions: { ...base, ...compilerOptions }, files };
      writeFileSync(join(project, config), JSON.stringify(content));
      expectSuccess(`tsc -p ${config}`, await runCommand(tsc, ["-p", config], { cwd: project }));
    }
  });
});

test("only the runtime has dependencies", () => {
  const [core, runtime] = manifests.map(({ name }) =>
    readJson(join(projects.npm, "node_modules", name, "package.json")),
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

test("the types need no package but @types/node", () => {
  const folder = join(projects.npm, "node_modules/@synod/runtime/dist");
  const typed = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(file =>
    /\.d\.c?ts$/.test(file),
  );
  const reached = new Set(["index.d.ts"]);
  const packages = new Set<string>();
  for (const file of reached) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, name = ""] of text.matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      if (name.startsWith(".")) reached.add(join(dirname(file), name.replace(/\.js$/, ".d.ts")));
      else packages.add(name.replace(/^node:.*/, "node"));
    }
  }
  expect(typed.length).toBeGreaterThan(reached.size);
  expect([...packages].sort()).toEqual(["@synod/core", "node"]);
});

test("what only a cluster's thread may load says so", async () => {
  writeFileSync(join(projects.npm, "entry.mjs"), `import "@synod/runtime/actor-entry";`);
  const result = await runCommand(process.execPath, ["entry.mjs"], { cwd: projects.npm });
  expect(result.exitCode).toBe(1);
  expect(result.output).toContain("loaded by something that is not a cluster");
});
