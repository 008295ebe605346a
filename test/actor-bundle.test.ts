// What the threads of actors run: the file that the build makes of all their modules, or the modules themselves when
// they are no longer those that it was made of. On a copy of the packages, outside this repository.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { manifests } from "./support/packed-project.js";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const project = realpathSync(mkdtempSync(join(tmpdir(), "synod-actor-bundle-")));
afterAll(() => rmSync(project, { recursive: true, force: true }));
const inPackage = (path: string) => join(project, "node_modules/@synod", path);

/** Notes what it finds in its thread when it is loaded. */
const machine = `
  import { createRequire } from "node:module";
  import { Cluster, SynodError } from "@synod/runtime";
  import { KeyValueStore } from "@synod/runtime/kv";

  const refusal = await Cluster.start({ stateMachine: KeyValueStore }).catch(error => error);
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  export default class Witness {
    apply(command) {
      if (command === "throw") throw new SynodError("OVERLOADED", "says the machine");
      return {
        stack: new Error("here").stack,
        refusal: refusal instanceof SynodError ? refusal.code : "none",
        readsNatively: loaded.some(path => /msgpackr-extract.*\\.node$/.test(path)),
        loadsBundle: loaded.some(path => path.endsWith("actor-bundle.cjs")),
      };
    }
    *snapshot() {}
    async restore() {}
  }
`;
const program = `
  import { Cluster } from "@synod/runtime";

  const cluster = await Cluster.start({ stateMachine: new URL("witness.mjs", import.meta.url) });
  const client = await cluster.connect();
  const seen = await client.propose("look");
  const thrown = await client.propose("throw").catch(({ code, message }) => ({ code, message }));
  await cluster.close();
  const { isNativeAccelerationEnabled } = await import("msgpackr");
  console.log(JSON.stringify({ ...seen, thrown, isNativeAccelerationEnabled }));
`;

beforeAll(async () => {
  // Does nothing when the build has made it.
  const made = await runCommand(process.execPath, ["scripts/bundle-actors.mjs"], { cwd: repositoryRoot });
  expectSuccess("scripts/bundle-actors.mjs", made);
  mkdirSync(inPackage(""), { recursive: true });
  for (const { name, folder, dependencies = {} } of manifests) {
    for (const part of ["dist", "src", "package.json"])
      cpSync(join(folder, part), join(project, "node_modules", name, part), { recursive: true });
    for (const other of Object.keys(dependencies).filter(other => !other.startsWith("@synod/")))
      symlinkSync(realpathSync(join(folder, "node_modules", other)), join(project, "node_modules", other));
  }
  writeFileSync(join(project, "witness.mjs"), machine);
  writeFileSync(join(project, "program.mjs"), program);
});

async function look() {
  const result = await runCommand(process.execPath, ["--enable-source-maps", "program.mjs"], {
    cwd: project,
  });
  expectSuccess("program.mjs", result);
  return JSON.parse(result.stdout);
}

/** Where the frames of a stack are: package, file, and the text of that line. */
function framesOf(stack: string): { file: string; text: string }[] {
  const frames = stack.matchAll(/node_modules\/@synod\/((?:core|runtime)\/\S+?):(\d+):\d+/g);
  return [...frames].map(([, file = "", line]) => {
    return { file, text: readFileSync(inPackage(file), "utf8").split("\n")[Number(line) - 1] ?? "" };
  });
}

test("in its thread a machine finds the guard, the errors and the native reader as with modules", async () => {
  const seen = await look();
  expect(seen.loadsBundle).toBe(true);
  expect(seen.refusal).toBe("INVALID_OPTIONS");
  expect(seen.thrown).toMatchObject({ code: "STATE_MACHINE_FAILED" });
  expect(seen.thrown.message).toContain("SynodError: says the machine");
  expect(seen.readsNatively).toBe(seen.isNativeAccelerationEnabled);
  // A trace leads to the lines of both packages.
  const frames = framesOf(seen.stack);
  expect(frames[0]?.file).toBe("runtime/src/engine.ts");
  expect(frames[0]?.text).toContain("apply(");
  expect(frames.map(({ file }) => file)).toContain("core/src/replica.ts");
});

const another = (path: string) => appendFileSync(path, "\n");
const changes: [what: string, path: string, change: (path: string) => void][] = [
  ["a module of the runtime is another", "runtime/dist/engine.js", another],
  ["a module of core is another", "core/dist/replica.js", another],
  ["a module is gone", "runtime/dist/post.js", path => rmSync(path)],
  ["the bundle is another", "runtime/dist/actor-bundle.cjs", another],
  ["the bundle is gone", "runtime/dist/actor-bundle.cjs", path => rmSync(path)],
  ["nobody knows what it was made of", "runtime/dist/actor-bundle.json", path => rmSync(path)],
];

test.each(changes)("there is no bundle when %s", async (_, file, change) => {
  const { findBundle } = await import(pathToFileURL(inPackage("runtime/dist/actor-bundle.js")).href);
  const path = inPackage(file);
  const content = readFileSync(path);
  change(path);
  expect(findBundle()).toBeUndefined();
  writeFileSync(path, content);
  expect(findBundle()?.href).toBe(pathToFileURL(inPackage("runtime/dist/actor-bundle.cjs")).href);
});

test("threads run a module that was changed after the bundle was made", async () => {
  const path = inPackage("runtime/dist/apply-failure.js");
  const text = readFileSync(path, "utf8");
  const changed = text.replace("cause.message}`", "cause.message}, as changed`");
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
  const { thrown, loadsBundle } = await look();
  expect(loadsBundle).toBe(false);
  expect(thrown.message).toContain("SynodError: says the machine, as changed");
});
