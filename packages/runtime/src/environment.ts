import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import * as workerThreads from "node:worker_threads";
import { SynodError } from "./errors.js";
import { runtimeLimits } from "./limits.js";
import type { ResolvedOptions } from "./options.js";

/** What this process offers, as far as Synod depends on it. */
export interface Environment {
  /** Of Node.js, such as `20.19.0`; undefined elsewhere. */
  readonly nodeVersion: string | undefined;
  readonly hasSharedMemory: boolean;
  readonly hasAtomics: boolean;
  readonly hasWaitAsync: boolean;
  readonly hasWorkerThreads: boolean;
}

/** The least version of Node.js: `require()` loads ES modules from there on. */
const nodeVersionLeast = [20, 19] as const;

export function readEnvironment(): Environment {
  const hasAtomics = typeof Atomics === "object";
  return {
    nodeVersion: globalThis.process?.versions?.node,
    hasSharedMemory: typeof SharedArrayBuffer === "function",
    hasAtomics,
    hasWaitAsync: hasAtomics && typeof Atomics.waitAsync === "function",
    hasWorkerThreads:
      typeof workerThreads.Worker === "function" && typeof workerThreads.BroadcastChannel === "function",
  };
}

/** @throws SynodError `UNSUPPORTED_ENVIRONMENT`, which names all that is missing */
export function checkEnvironment(environment: Environment = readEnvironment()): void {
  const missing: string[] = [];
  if (!isNewEnough(environment.nodeVersion)) {
    const found = environment.nodeVersion === undefined ? "not Node.js" : environment.nodeVersion;
    missing.push(`Node.js ${nodeVersionLeast.join(".")} or newer (this is ${found})`);
  }
  if (!environment.hasSharedMemory) missing.push("SharedArrayBuffer");
  if (!environment.hasAtomics) missing.push("Atomics");
  else if (!environment.hasWaitAsync) missing.push("Atomics.waitAsync");
  if (!environment.hasWorkerThreads)
    missing.push("worker threads with BroadcastChannel (node:worker_threads)");
  if (missing.length === 0) return;
  const message =
    `Synod cannot run here, because of what is missing: ${missing.join("; ")}. It runs in Node.js only, on a ` +
    "server or a desktop: not in browsers and not in edge runtimes. Look also for flags of node that switch this off";
  throw new SynodError("UNSUPPORTED_ENVIRONMENT", message);
}

function isNewEnough(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const [majorLeast, minorLeast] = nodeVersionLeast;
  return major > majorLeast || (major === majorLeast && minor >= minorLeast);
}

/** Cores that this process may use at once, and what bounds them. */
export interface Cores {
  readonly cores: number;
  readonly bound: "machine" | "cgroup";
}

/** `root` is where the file systems `/proc` and `/sys` are found, for tests. */
export function readCores(root = "/", machineCores = availableParallelism()): Cores {
  const limit = cgroupCores(root);
  return limit < machineCores ? { cores: limit, bound: "cgroup" } : { cores: machineCores, bound: "machine" };
}

/** The tightest limit of this process's control groups in cores; infinity where there is none. Never throws. */
function cgroupCores(root: string): number {
  let cores = Number.POSITIVE_INFINITY;
  for (const line of read(join(root, "proc/self/cgroup")).split("\n")) {
    const [id, controllers = "", path = "/"] = line.split(":");
    const isUnified = id === "0" && controllers === "";
    if (!isUnified && !controllers.split(",").includes("cpu")) continue;
    const tree = join(root, "sys/fs/cgroup", isUnified ? "" : controllers);
    // Every group above limits those in it. A container may see its own group as the root: `..` stays in the tree.
    for (let group = join("/", path); ; group = dirname(group)) {
      cores = Math.min(cores, isUnified ? unifiedCores(join(tree, group)) : quotaCores(join(tree, group)));
      if (group === "/") break;
    }
  }
  return cores;
}

/** `cpu.max` of the second version: microseconds that may be used, or `max`, in a period of so many. */
function unifiedCores(folder: string): number {
  const [quota, period] = read(join(folder, "cpu.max")).trim().split(" ").map(Number);
  return ratio(quota, period);
}

/** The same of the first version, in two files; the quota is -1 for none. */
function quotaCores(folder: string): number {
  const [quota, period] = ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map(name =>
    Number(read(join(folder, name))),
  );
  return ratio(quota, period);
}

function ratio(quota = 0, period = 0): number {
  return quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** What to say about so many actors' threads on so few cores; undefined when there are enough of them. */
export function fewCoresWarning(threads: number, { cores, bound }: Cores): string | undefined {
  if (threads <= cores * runtimeLimits.threadsPerCoreMax) return undefined;
  const place =
    bound === "machine" ? "this machine has" : "the CPU limit of this container or control group is";
  return (
    `${threads} threads of a Synod cluster share few cores: ${place} ${Number(cores.toFixed(2))}. They wait for ` +
    'each other then, and leases may run out. Let actors share threads (threads: "compact"), start fewer, or give the ' +
    "process more cores"
  );
}

/** How many threads the actors of a cluster run on. */
export function actorThreads({
  proposers,
  acceptors,
  learners,
  threads,
}: Pick<ResolvedOptions, "proposers" | "acceptors" | "learners" | "threads">): number {
  switch (threads) {
    case "isolated":
      return proposers + acceptors + learners;
    case "compact":
      return Math.max(proposers, acceptors, learners);
    case "single":
      return 1;
  }
}

let hasWarned = false;

/** Warns once in the life of the process. */
export function warnOfFewCores(threads: number): void {
  if (hasWarned) return;
  const message = fewCoresWarning(threads, readCores());
  if (message === undefined) return;
  hasWarned = true;
  process.emitWarning(message, { type: "SynodWarning", code: "SYNOD_FEW_CORES" });
}

/** Set in every thread that runs actors. A symbol of the registry: a bundle may hold this module twice. */
const actorMark: unique symbol = Symbol.for("synod.actor-thread");

export function markActorThread(): void {
  (globalThis as { [actorMark]?: true })[actorMark] = true;
}

/**
 * A state machine's module that is the program's main module too would start a cluster in every learner, and so on.
 *
 * @throws SynodError `INVALID_OPTIONS`
 */
export function checkIsNoActorThread(): void {
  if ((globalThis as { [actorMark]?: true })[actorMark] === undefined) return;
  const message =
    "a cluster cannot be started in a thread of another cluster's actor. If the state machine's class is in the module " +
    "that starts the cluster, or was bundled into it, put it into a module of its own that starts nothing";
  throw new SynodError("INVALID_OPTIONS", message, { path: "stateMachine" });
}
