import type { Host, Versions } from "../results/format.js";
import { differ, type Estimate, ratioSpread } from "../results/statistics.js";
import type { MicroFigure, MicroOptions } from "./run.js";

/** What `--json` writes, and `--compare` and `--baseline` read. */
export interface MicroReport {
  readonly kind: "micro";
  readonly machine: Host;
  readonly versions: Versions;
  readonly options: MicroOptions;
  readonly figures: readonly MicroFigure[];
}

/** An operation in two results. */
export interface MicroComparison {
  readonly id: string;
  readonly oldNanoseconds: number;
  readonly newNanoseconds: number;
  /** How many times as fast the new one is. */
  readonly speed: number;
  /** In percent of it. */
  readonly speedSpread: number;
  /** False where the 95% confidence intervals overlap. */
  readonly differs: boolean;
}

/** Operations that both results have. */
export function compareFigures(old: readonly MicroFigure[], now: readonly MicroFigure[]): MicroComparison[] {
  return now.flatMap(figure => {
    const before = old.find(({ id }) => id === figure.id);
    if (before === undefined) return [];
    const estimates = [estimateOf(before), estimateOf(figure)] as const;
    return [
      {
        id: figure.id,
        oldNanoseconds: before.nanoseconds,
        newNanoseconds: figure.nanoseconds,
        speed: before.nanoseconds / figure.nanoseconds,
        speedSpread: ratioSpread(...estimates),
        differs: differ(...estimates),
      },
    ];
  });
}

function estimateOf({ nanoseconds, spread }: MicroFigure): Estimate {
  return { mean: nanoseconds, spread };
}

/**
 * Names what became slower than that part of the baseline's speed, by more than noise, and says what to do; undefined
 * when nothing did.
 */
export function complaintOf(
  compared: readonly MicroComparison[],
  file: string,
  failBelow: number,
): string | undefined {
  const slower = compared.filter(({ speed, differs }) => differs && speed < failBelow);
  if (slower.length === 0) return undefined;
  const named = slower.map(({ id, speed }) => `${id} (${speed.toFixed(2)} x)`);
  return `below ${failBelow} x of the baseline: ${named.join(", ")}\nIf that is meant to be: ${renewalOf(file)}`;
}

export function renewalOf(file: string): string {
  return `renew the baseline on this machine, with synod-bench micro --json ${file}`;
}

/** Why two results say nothing about each other, in words; nothing when they do. */
export function incomparable(
  old: Pick<MicroReport, "machine" | "versions">,
  now: Pick<MicroReport, "machine" | "versions">,
): string[] {
  const reasons: string[] = [];
  const check = (what: string, before: unknown, after: unknown): void => {
    if (before !== after) reasons.push(`${what}: ${before} then, ${after} now`);
  };
  check("CPU", old.machine.cpuModel, now.machine.cpuModel);
  check("cores", old.machine.cores, now.machine.cores);
  check("platform", platformOf(old.machine), platformOf(now.machine));
  check("Node", majorOf(old.versions.node), majorOf(now.versions.node));
  return reasons;
}

function majorOf(version = ""): string {
  return version.split(".")[0] ?? "";
}

/** Reads what `--json` has written. @throws Error that names the file */
export function parseMicroReport(text: string, file: string): MicroReport {
  let value: Partial<MicroReport> | null = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below, like everything else that it is not.
  }
  if (value?.kind === "micro" && Array.isArray(value.figures) && value.machine && value.versions) {
    return value as MicroReport;
  }
  throw new Error(`${file} is not a result of micro: write one with synod-bench micro --json ${file}`);
}

function platformOf({ platform, arch }: Host): string {
  return `${platform} ${arch}`;
}
