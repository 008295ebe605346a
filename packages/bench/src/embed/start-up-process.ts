import { setTimeout as pause } from "node:timers/promises";
import { answer, endWithParent } from "../own-process.js";
import type { ThreadsMode } from "./latency.js";

/** What one process measured of one cluster. */
export interface StartUp {
  readonly threads: ThreadsMode;
  /** From the call of `Cluster.start` until its first command is committed and answered, in milliseconds. */
  readonly firstCommitMs: number;
  /** The same from the start of the process, which has to load the packages. */
  readonly processMs: number;
  /** What the cluster has added to the process's resident memory, in bytes, after it was idle. */
  readonly residentBytes: number;
  /** Of one core, in percent, by all threads of the process while nothing happens. */
  readonly idleCpuPercent: number;
}

// A process of its own, so that no measurement sees what another one has warmed up or left behind.
endWithParent();
const [threads, idleMs] = process.argv.slice(2) as [ThreadsMode, string];
const { Cluster } = await import("@synod/runtime");
const { VerifyingStore } = await import("../verifying-store.js");
const residentBefore = process.memoryUsage.rss();
const startedAt = performance.now();
const cluster = await Cluster.start({ stateMachine: VerifyingStore, threads });
const client = await cluster.connect();
await client.propose({ op: "set", key: "first", value: 1 });
const endedAt = performance.now();
// Start-up has an aftermath: what was compiled and allocated for it.
await pause(Number(idleMs) / 2);
const cpuBefore = process.cpuUsage();
const idleFrom = performance.now();
await pause(Number(idleMs));
const { user, system } = process.cpuUsage(cpuBefore);
const idleForMs = performance.now() - idleFrom;
const result: StartUp = {
  threads,
  firstCommitMs: endedAt - startedAt,
  processMs: endedAt,
  residentBytes: process.memoryUsage.rss() - residentBefore,
  idleCpuPercent: (user + system) / 10 / idleForMs,
};
await cluster.close();
answer(result);
