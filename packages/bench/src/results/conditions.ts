import type { Host, Versions } from "./format.js";
import { hostHere, loadAverageHere, versionsHere } from "./host.js";
import { busyBefore, type MachineUse, MachineWatch } from "./machine-watch.js";

/** Under which conditions something was measured: part of every JSON result. */
export interface Conditions {
  readonly machine: Host;
  readonly versions: Versions;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly loadAverageBefore: readonly [number, number, number];
  /** What else the machine did meanwhile. */
  readonly use: Omit<MachineUse, "warnings">;
  /** Why not to trust the figures; empty on a quiet machine. */
  readonly warnings: readonly string[];
}

/** Call it before measuring, and what it returns afterwards. */
export function watchConditions(): () => Conditions {
  const [machine, versions, loadAverageBefore] = [hostHere(), versionsHere(), loadAverageHere()];
  const startedAt = new Date().toISOString();
  const watch = new MachineWatch();
  return () => {
    const { warnings, ...use } = watch.read();
    const before = busyBefore(loadAverageBefore, machine.cores);
    const all = before === null ? warnings : [before, ...warnings];
    return { machine, versions, startedAt, loadAverageBefore, use, warnings: all };
  };
}
