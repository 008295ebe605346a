import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Subject } from "./catalogue.js";
import { findProgram } from "./programs.js";
import { hasRaftLibrary } from "./raft-go.js";

const manifest = fileURLToPath(new URL("../../rivals/package.json", import.meta.url));
/** Runs the version of pnpm that the lockfile is of, whether one is installed or not. */
const installPackages = `npx --yes pnpm@12.21.0 install --frozen-lockfile --dir ${relative("", dirname(manifest))}`;

/** What is missing for a subject and how to install it, in a sentence; undefined when nothing is. */
export function missingFor(subject: Subject): string | undefined {
  const program = subject.programs.find(({ name }) => findProgram(name) === undefined);
  if (program !== undefined) {
    return `${program.name} is not on PATH: install it, with Debian by apt-get install ${program.package}`;
  }
  if (subject.family === "raft-go" && !hasRaftLibrary()) {
    return "the library's sources are not here: with Debian, apt-get install golang-etcd-server-dev";
  }
  const missing = subject.packages.find(name => !isInstalled(name));
  if (missing !== undefined) return `npm's ${missing} is not installed: ${installPackages}`;
  return undefined;
}

/** From where the modules that import it lie. A package need not export its manifest, so its folder is looked for. */
function isInstalled(name: string): boolean {
  const paths = createRequire(manifest).resolve.paths(name) ?? [];
  return paths.some(path => readable(`${path}/${name}/package.json`));
}

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
