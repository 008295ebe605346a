// examples/04-typescript-project on the packed packages, in the three ways in which such projects are run.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installProject, packAll, readJson } from "./support/packed-project.js";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const example = join(repositoryRoot, "examples/04-typescript-project");
const expected = readFileSync(join(example, "expected.txt"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "synod-typescript-"));
const project = join(folder, "project");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const { dependencies: _, devDependencies: __, ...manifest } = readJson(join(example, "package.json"));
  const tarballs = await packAll(join(folder, "tarballs"));
  const names = ["@synod/core", "@synod/runtime"];
  await installProject(project, tarballs, { by: "npm", manifest, names });
  for (const name of ["src", "tsconfig.json"])
    cpSync(join(example, name), join(project, name), { recursive: true });
  // The development tools of this repository, of the versions that the example names.
  for (const name of ["typescript", "tsx", "@types"])
    symlinkSync(join(repositoryRoot, "node_modules", name), join(project, "node_modules", name));
});

const path = [join(repositoryRoot, "node_modules/.bin"), process.env.PATH].join(delimiter);
const npm = (...args: string[]) => runCommand("npm", args, { cwd: project, env: { PATH: path } });

test("its tools are those of this repository", () => {
  const { devDependencies } = readJson(join(example, "package.json"));
  const root = readJson(join(repositoryRoot, "package.json")).devDependencies;
  for (const [name, version] of Object.entries(devDependencies)) expect(root[name], name).toBe(version);
});

test("built", async () => {
  const result = await npm("start", "--silent");
  expectSuccess("npm start", result);
  expect(result.stdout).toBe(expected);
});

test("by tsx", async () => {
  const result = await npm("run", "--silent", "start:tsx");
  expectSuccess("npm run start:tsx", result);
  expect(result.stdout).toBe(expected);
});

/** This Node if it strips types, or one that `pnpm test:matrix` has fetched. */
function strippingNode(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  const fetched = join(
    repositoryRoot,
    ".tmp/node-24/node_modules",
    `node-${process.platform}-${process.arch}`,
    "bin/node",
  );
  return existsSync(fetched) ? fetched : undefined;
}

const node = strippingNode();
// Elsewhere the same is tested by `pnpm test:matrix`, which runs this file on Node 22 and 24.
if (node !== undefined) {
  test("by Node itself, which strips types", async () => {
    const result = await runCommand(node, ["src/main.ts"], { cwd: project });
    expectSuccess("node src/main.ts", result);
    expect(result.stdout).toBe(expected);
  });
} else {
  test("a machine that this Node cannot load is refused with advice", async () => {
    const main = `import { Cluster } from "@synod/runtime";
      await Cluster.start({ stateMachine: new URL("src/visits.ts", import.meta.url) });`;
    writeFileSync(join(project, "main.mjs"), main);
    const result = await runCommand(process.execPath, ["main.mjs"], { cwd: project });
    expect(result.exitCode).toBe(1);
    expect(result.output).toContain("STATE_MACHINE_NOT_LOADED");
    expect(result.output).toContain("start this program by `tsx` or `node --import tsx`");
  });
}
