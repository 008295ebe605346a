/*
 * Measures one cluster in a process of its own, which `experiments/footprint.ts` forks: memory that was used once does
 * not go back to the operating system.
 */
import { readdir } from "node:fs/promises";
import { createHistogram } from "node:perf_hooks";
import { Cluster } from "@synod/runtime";
import { KeyValueStore } from "@synod/runtime/kv";
import type { ThreadsMode } from "./options.js";
import { answer, endWithParent } from "./own-process.js";

/** What the process is told, as JSON in its first argument. */
export interface FootprintTask {
  readonly threads: ThreadsMode;
  /** How long the cluster is left alone, in seconds; 0 to measure only its start. */
  readonly idleSeconds: number;
  /** Commands of one client, each proposed when the one before it was answered. */
  readonly commands: number;
}

/** What it found. */
export interface Footprint {
  /** From the call of `Cluster.start` until a client has its first answer, in milliseconds. */
  readonly startMs: number;
  /** Threads of the process, beyond those that it had before; null where the system does not say. */
  readonly threads: number | null;
  /** Resident memory of the process beyond what it had before, in bytes. */
  readonly rssBytes: number;
  /** CPU time of the idle cluster and its idle client, in percent of one core; null when it was not measured. */
  readonly idlePercent: number | null;
  /** Of one command, in milliseconds; null when it was not measured. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
}

/** Code is compiled within so many commands. */
const warmUpCommands = 2000;

async function measure({ threads, idleSeconds, commands }: FootprintTask): Promise<Footprint> {
  const before = { threads: await threadCount(), rss: process.memoryUsage.rss() };
  const startedAt = performance.now();
  const cluster = await Cluster.start({ stateMachine: KeyValueStore, threads });
  try {
    const client = await cluster.connect();
    const propose = (value: number) => client.propose({ op: "set", key: "key", value });
    await propose(0);
    const startMs = performance.now() - startedAt;
    const rssBytes = process.memoryUsage.rss() - before.rss;
    const now = await threadCount();
    const found = {
      startMs,
      rssBytes,
      threads: now === null || before.threads === null ? null : now - before.threads,
    };
    if (idleSeconds === 0) return { ...found, idlePercent: null, latencyMs: null };
    const cpuBefore = process.cpuUsage();
    const idleFrom = performance.now();
    await new Promise(resolve => setTimeout(resolve, idleSeconds * 1000));
    const { user, system } = process.cpuUsage(cpuBefore);
    const idlePercent = (user + system) / 10 / (performance.now() - idleFrom);
    return { ...found, idlePercent, latencyMs: await latencies(propose, commands) };
  } finally {
    await cluster.close();
  }
}

async function latencies(
  propose: (value: number) => Promise<unknown>,
  commands: number,
): Promise<Footprint["latencyMs"]> {
  for (let value = 0; value < warmUpCommands; value++) await propose(value);
  const nanoseconds = createHistogram();
  for (let value = 0; value < commands; value++) {
    const calledAt = performance.now();
    await propose(value);
    nanoseconds.record(Math.max(1, Math.round((performance.now() - calledAt) * 1e6)));
  }
  return { p50: nanoseconds.percentile(50) / 1e6, p99: nanoseconds.percentile(99) / 1e6 };
}

async function threadCount(): Promise<number | null> {
  return process.platform === "linux" ? (await readdir("/proc/self/task")).length : null;
}

endWithParent();
answer(await measure(JSON.parse(process.argv[2] ?? "{}") as FootprintTask));
