import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { type Throttling, throttlingSoFar } from "./control-group.js";
import { loadAverageHere } from "./host.js";

/** What has been counted up to a moment; of the machine over all its cores. */
export interface MachineCounts {
  readonly atMs: number;
  /** Cores of the machine, as the counts below have them. */
  readonly cores: number;
  /** Milliseconds in which cores were at work. */
  readonly busyMs: number;
  /** Milliseconds that a hypervisor took from this machine; null where it is not told. */
  readonly stolenMs: number | null;
  /** Milliseconds of CPU that this process took. */
  readonly ownMs: number;
  readonly throttling: Throttling | null;
  readonly loadAverage: [number, number, number];
}

/** What went on while something was measured. */
export interface MachineUse {
  readonly loadAverage: [number, number, number];
  /** Cores that this process kept busy, that other programs did, and that a hypervisor took away. */
  readonly ownCores: number;
  readonly otherCores: number;
  readonly stolenCores: number | null;
  readonly throttledMs: number | null;
  /** Why not to trust the measurement, in sentences; empty on a quiet machine. */
  readonly warnings: readonly string[];
}

/** Parts of the machine from which on they are worth a warning: smaller ones are within the noise of most rows. */
const otherShareMax = 0.1;
const stolenShareMax = 0.02;
const throttledShareMax = 0.01;
/** `/proc/stat` counts in hundredths of a second. */
const tickMs = 10;

/** Watches the machine from when it is made, or from the last {@link read}. */
export class MachineWatch {
  #before = countsNow();

  /** What went on since then. */
  read(): MachineUse {
    const now = countsNow();
    const use = useBetween(this.#before, now);
    this.#before = now;
    return use;
  }
}

/** What went on between two moments. */
export function useBetween(before: MachineCounts, after: MachineCounts): MachineUse {
  const ms = Math.max(after.atMs - before.atMs, 1);
  const ownCores = Math.max(0, after.ownMs - before.ownMs) / ms;
  const otherCores = Math.max(0, (after.busyMs - before.busyMs) / ms - ownCores);
  const isTold = before.stolenMs !== null && after.stolenMs !== null;
  const stolenCores = isTold ? Math.max(0, after.stolenMs - before.stolenMs) / ms : null;
  const { throttling: then } = before;
  const { throttling: now, loadAverage, cores } = after;
  const throttledMs = then && now && Math.max(0, now.throttledMs - then.throttledMs);
  const throttledPeriods = then && now ? Math.max(0, now.periods - then.periods) : 0;
  const warnings: string[] = [];
  if (otherCores > otherShareMax * cores) {
    warnings.push(`other programs took ${otherCores.toFixed(2)} of ${cores} cores`);
  }
  if (stolenCores !== null && stolenCores > stolenShareMax * cores) {
    warnings.push(`the hypervisor took ${stolenCores.toFixed(2)} of ${cores} cores away (steal time)`);
  }
  if (throttledMs !== null && throttledMs > throttledShareMax * ms) {
    const share = Math.min(100, Math.round((100 * throttledMs) / ms));
    warnings.push(
      `the container's CPU limit stopped the process ${throttledPeriods} times, ${share}% of the time`,
    );
  }
  return { loadAverage, ownCores, otherCores, stolenCores, throttledMs, warnings };
}

/** Of the load average before a run: null when there is nothing to say. */
export function busyBefore([minute]: readonly [number, number, number], cores: number): string | null {
  if (minute <= cores / 2) return null;
  return `the machine was busy before the run: ${minute.toFixed(1)} threads wanted its ${cores} cores (load average)`;
}

function countsNow(): MachineCounts {
  const times = cpus().map(core => core.times);
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    cores: times.length,
    busyMs: times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0),
    stolenMs: stolenSoFar(),
    ownMs: (user + system) / 1000,
    throttling: throttlingSoFar(),
    loadAverage: loadAverageHere(),
  };
}

function stolenSoFar(): number | null {
  try {
    return parseStolen(readFileSync("/proc/stat", "utf8"));
  } catch {
    return null;
  }
}

/** Milliseconds of steal time in the text of `/proc/stat`. */
export function parseStolen(text: string): number | null {
  const ticks = Number(text.match(/^cpu +(?:\d+ +){7}(\d+)/m)?.[1]);
  return Number.isFinite(ticks) ? ticks * tickMs : null;
}
