import { median } from "../results/statistics.js";
import type { CountResult } from "./count-check.js";
import type { HistoryCounts } from "./history-check.js";
import { bucketMs } from "./ledger.js";
import type { ChaosOptions } from "./options.js";
import type { MemoryState, ProcessState } from "./process-state.js";
import type { FaultKind } from "./schedule.js";

/** A fault that happened. Times in milliseconds, those with `at` from the start of the run. */
export interface FaultResult {
  readonly kind: FaultKind;
  readonly what: string;
  readonly atMs: number;
  /** Until the first client, and every client, was answered something that it had called after the fault. */
  readonly firstMs: number | null;
  readonly everyMs: number | null;
}

export interface MemorySample extends MemoryState {
  readonly atMs: number;
  readonly commits: number;
}

/** A part of a run, in milliseconds from its start. */
export interface Phase {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** All that a run found out. */
export interface ChaosResult {
  readonly options: ChaosOptions;
  /** From the first load until the last, in milliseconds. */
  readonly durationMs: number;
  readonly interrupted: boolean;
  /** Commits in pieces of time of the same length. */
  readonly timeline: { readonly bucketMs: number; readonly commits: readonly number[] };
  readonly phases: readonly Phase[];
  readonly faults: readonly FaultResult[];
  readonly counted: Omit<CountResult, "violations">;
  readonly checked: HistoryCounts;
  /** Operations that failed, by code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly unsettled: number;
  readonly lostWakeUps: number;
  readonly memory: readonly MemorySample[];
  readonly before: ProcessState;
  readonly after: ProcessState;
  /** Nothing, if all went well. */
  readonly violations: readonly string[];
}

/** Recovery from one kind of fault, in milliseconds: of the first client, and of every one. */
export interface RecoveryRow {
  readonly kind: FaultKind;
  readonly faults: number;
  readonly firstMs: { readonly p50: number; readonly max: number } | null;
  readonly everyMs: { readonly p50: number; readonly max: number } | null;
}

export function recoveryRows(faults: readonly FaultResult[]): RecoveryRow[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  return kinds.map(kind => {
    const own = faults.filter(fault => fault.kind === kind);
    return { kind, faults: own.length, firstMs: spread(own, "firstMs"), everyMs: spread(own, "everyMs") };
  });
}

function spread(faults: readonly FaultResult[], field: "firstMs" | "everyMs"): RecoveryRow["firstMs"] {
  const values = faults.map(fault => fault[field]).filter(value => value !== null);
  const p50 = median(values);
  return p50 === null ? null : { p50, max: Math.max(...values) };
}

/** Commits per second between two moments of the run. */
export function rateBetween(commits: readonly number[], fromMs: number, untilMs: number): number {
  const [from, until] = [Math.round(fromMs / bucketMs), Math.round(untilMs / bucketMs)];
  const sum = commits.slice(from, until).reduce((total, count) => total + count, 0);
  return (sum / (until - from)) * (1000 / bucketMs);
}
