// Runs the built test suite on newer Node versions, which come as plain binaries from npm packages.
// Arguments go to vitest: `pnpm test:matrix packages/core`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const majors = ["22", "24"];
const root = fileURLToPath(new URL("..", import.meta.url));
const platform = process.platform === "win32" ? "win" : process.platform;
const packageName = `node-${platform}-${process.arch}`;

/** The path of that Node's binary, fetched once. @param {string} major */
function fetchNode(major) {
  const folder = join(root, ".tmp", `node-${major}`);
  const binary = join(folder, "node_modules", packageName, "bin", platform === "win" ? "node.exe" : "node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const args = [
      "install",
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--prefix",
      folder,
      `${packageName}@${major}`,
    ];
    const { status } = spawnSync("npm", args, { stdio: "inherit", shell: platform === "win" });
    if (status !== 0) throw new Error(`npm could not install ${packageName}@${major}`);
  }
  return binary;
}

/** @type {string[]} */
const failures = [];
for (const major of majors) {
  const node = fetchNode(major);
  // Whatever the tests start finds the same Node first.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  console.log(`\n== Node ${version}`);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(node, [vitest, "run", ...process.argv.slice(2)], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  if (status !== 0) failures.push(version);
}
console.log(
  failures.length === 0 ? `\npassed on Node ${majors.join(" and ")}` : `\nFAILED on ${failures.join(", ")}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
