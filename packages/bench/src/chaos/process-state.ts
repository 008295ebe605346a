import { readdir } from "node:fs/promises";
import v8 from "node:v8";
import vm from "node:vm";

/** What a process holds, after a full collection of garbage. */
export interface ProcessState {
  /** Of the operating system; null where it does not say. */
  readonly threads: number | null;
  /** What keeps the event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>;
  readonly memory: MemoryState;
}

/** Bytes. */
export interface MemoryState {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** A run may leave so much more on the heap and outside of it, in bytes: its result, and what Node loads late. */
const growthBytesMax = 24 * 1024 * 1024;
/** Threads end a little after their promises say so: for so long, in milliseconds, they are waited for. */
const settleWithinMs = 10_000;
const settlePollMs = 50;

v8.setFlagsFromString("--expose-gc");
const collectGarbage = vm.runInNewContext("gc") as () => void;

export function memoryState(): MemoryState {
  const { rss, heapUsed: heap, external, arrayBuffers } = process.memoryUsage();
  return { rss, heap, external, arrayBuffers };
}

export async function processState(): Promise<ProcessState> {
  collectGarbage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  return { threads: await threadCount(), handles, memory: memoryState() };
}

/** What is there that was not there before, once what ends has ended; nothing when all is as before. */
export async function leaksSince(before: ProcessState): Promise<{ state: ProcessState; leaks: string[] }> {
  const giveUpAt = performance.now() + settleWithinMs;
  for (;;) {
    const state = await processState();
    const leaks = compare(before, state);
    if (leaks.length === 0 || performance.now() > giveUpAt) return { state, leaks };
    await new Promise(resolve => setTimeout(resolve, settlePollMs));
  }
}

export function compare(before: ProcessState, after: ProcessState): string[] {
  const leaks: string[] = [];
  if (before.threads !== null && after.threads !== null && after.threads > before.threads) {
    leaks.push(`${after.threads} threads, before the run there were ${before.threads}`);
  }
  for (const [kind, count] of Object.entries(after.handles)) {
    const earlier = before.handles[kind] ?? 0;
    if (count > earlier)
      leaks.push(`${count} handles of the kind ${kind}, before the run there were ${earlier}`);
  }
  for (const kind of ["heap", "external"] as const) {
    const growth = after.memory[kind] - before.memory[kind];
    if (growth <= growthBytesMax) continue;
    leaks.push(`${megabytes(growth)} MB more ${kind} memory than before the run`);
  }
  return leaks;
}

export function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

async function threadCount(): Promise<number | null> {
  return process.platform === "linux" ? (await readdir("/proc/self/task")).length : null;
}
