// The static checks: build, types of the tests, lint and format, unused code, publishable packages.
// Runs all of them, two at a time, shows the output of those that fail, and the time against the budget.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const budgetSeconds = 60;
const root = fileURLToPath(new URL("..", import.meta.url));
const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` };

/** Runs a shell command at the root; resolves to whether it succeeded. @param {string} command */
function run(command) {
  return new Promise(resolve => {
    const startMs = performance.now();
    const child = spawn(command, { cwd: root, env, shell: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", chunk => {
      output += chunk;
    });
    child.stderr.on("data", chunk => {
      output += chunk;
    });
    child.on("close", code => {
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      console.log(`${code === 0 ? "ok  " : "FAIL"} ${command} (${seconds} s)`);
      if (code !== 0) console.log(output.trimEnd());
      resolve(code === 0);
    });
  });
}

const startMs = performance.now();
const packages = readdirSync(join(root, "packages")).map(name => `packages/${name}`);

// Everything but lint reads the built output.
const built = (await run("tsc -b")) && (await run("node scripts/bundle-actors.mjs"));
const checks = ["biome check --error-on-warnings ."];
if (built) {
  checks.push("tsc -p tsconfig.tests.json", "knip --no-progress");
  checks.push("node scripts/api-reference/generate.mjs --check");
  // Both pack: never the same package at once.
  checks.push(...packages.map(path => `publint run --strict ${path}`));
  checks.push(...packages.map(path => `attw --profile esm-only --pack ${path}`));
}
let ok = built;
/** Takes the next check until none is left. */
async function worker() {
  for (let command = checks.shift(); command !== undefined; command = checks.shift())
    ok = (await run(command)) && ok;
}
await Promise.all([worker(), worker()]);

console.log(`static checks: ${((performance.now() - startMs) / 1000).toFixed(1)} s of ${budgetSeconds} s`);
process.exitCode = ok ? 0 : 1;
