import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bugs = join(root, "packages/core/test/planted-bugs");

/**
 * Explores each planted bug in the space that can express it; returns the exit code.
 * @param {readonly import("@synod/core/testing").Configuration[]} configurations
 * @param {import("./options.mjs").Options} options
 */
export async function explorePlanted(configurations, { statesMax }) {
  /** @type {typeof import("../../packages/core/test/planted-bugs/explored-bugs.js")} */
  const { exploredBugs } = await load("explored-bugs.ts");
  /** @type {typeof import("../../packages/core/test/planted-bugs/planted-bug.js")} */
  const { buildPatched } = await load("planted-bug.ts");
  let found = 0;
  for (const { name, configuration, patches } of exploredBugs) {
    const space = configurations.find(each => each.name === configuration);
    if (space === undefined) throw new Error(`there is no configuration "${configuration}"`);
    const startedAt = performance.now();
    const { explore } = await buildPatched(patches);
    const { violation, states } = explore(space, { statesMax });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (violation !== undefined) found += 1;
    console.log(`${violation === undefined ? "MISSED" : "found "} ${name}`);
    console.log(`       ${configuration}, ${states} states, ${seconds} s`);
    if (violation !== undefined)
      console.log(`       ${violation.invariant}, after ${violation.path.length} steps`);
  }
  console.log(`${found} of ${exploredBugs.length} planted bugs found`);
  return found === exploredBugs.length ? 0 : 1;
}

/** Loads a module of the tests, which are TypeScript. @param {string} file */
async function load(file) {
  const source = join(bugs, file);
  const folder = join(root, ".tmp/explore");
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, file.replace(".ts", ".mjs"));
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "warning",
    // Where the sources are that it patches.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(source).href) },
  });
  return import(pathToFileURL(outfile).href);
}
