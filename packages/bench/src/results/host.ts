import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { cpusOfContainer } from "./control-group.js";
import type { Host, Versions } from "./format.js";

/** What this process runs on. */
export function hostHere(): Host {
  return {
    cpuModel: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    containerCpus: cpusOfContainer(),
    memoryBytes: totalmem(),
    platform: platform(),
    release: release(),
    arch: arch(),
  };
}

/** Runnable threads of the whole machine, averaged over 1, 5 and 15 minutes; zeros where it does not tell. */
export function loadAverageHere(): [number, number, number] {
  return loadavg() as [number, number, number];
}

/** What is measured, and by what. */
export function versionsHere(): Versions & Readonly<Record<"tinybench" | "msgpackr", string>> {
  const here = createRequire(import.meta.url);
  const runtime = createRequire(here.resolve("@synod/runtime/package.json"));
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    synod: versionIn(here.resolve("@synod/runtime/package.json")),
    git: commitOfSources(),
    tinybench: versionOf(here, "tinybench"),
    msgpackr: versionOf(runtime, "msgpackr"),
  };
}

/** Null unless this module lies in a checkout of its own; ends with `+` when files differ from the commit. */
function commitOfSources(): string | null {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  if (cwd.includes("node_modules")) return null;
  const git = (...words: string[]) =>
    execFileSync("git", words, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+");
  } catch {
    return null;
  }
}

/** A package need not export its package.json, but it lies in a folder of the package's name. */
function versionOf(from: NodeJS.Require, name: string): string {
  const folder = from.resolve.paths(name)?.map(path => `${path}/${name}/package.json`) ?? [];
  for (const path of folder) {
    try {
      return versionIn(path);
    } catch {
      // Not here: further up.
    }
  }
  return "unknown";
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
