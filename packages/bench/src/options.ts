import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ClusterOptions } from "@synod/runtime";
import { InvalidArgumentError } from "commander";

/** Which actors share a thread, as a cluster's option `threads` has it. */
export type ThreadsMode = NonNullable<ClusterOptions<never>["threads"]>;
export const threadsModes: readonly ThreadsMode[] = ["isolated", "compact", "single"];

/** What a run of the benchmark is asked to do. */
export interface BenchOptions {
  /** Closed-loop clients: each proposes again as soon as its promise settles. */
  readonly clients: number;
  /** Commands of one Accept in the rows that batch; a quarter of the clients at most. */
  readonly batch: number;
  /** Accept messages under way at once in the rows that pipeline. */
  readonly pipeline: number;
  readonly acceptors: number;
  readonly learners: number;
  /** Which actors share a thread, in all rows. */
  readonly threads: ThreadsMode;
  /** Bytes of the string that every command carries besides its key and value. */
  readonly payload: number;
  /** Seconds measured per row. */
  readonly seconds: number;
  /** Rows to run; all by default. */
  readonly only?: readonly string[];
  /** Where the JSON result goes. */
  readonly json?: string;
}

/** Bounds and defaults, with their reasons. */
export const optionLimits = {
  /** A client's window in the runtime holds 16,384 commands. */
  clients: { min: 1, max: 16_384, default: 4096 },
  batch: { min: 1, max: 16_384, default: 1024 },
  pipeline: { min: 1, max: 4096, default: 16 },
  acceptors: { min: 1, max: 31, default: 3 },
  learners: { min: 1, max: 16, default: 2 },
  /** Bytes: all clients' commands together stay near a gigabyte. */
  payload: { min: 0, max: 65_536, default: 0 },
  seconds: { min: 0.05, max: 3600, default: 4 },
} as const;

/** Bounds and defaults of the sequence charts. */
export const traceLimits = {
  /** Each command is a part of a chart that is to be read. */
  commands: { min: 1, max: 16, default: 2 },
} as const;

/** Defaults of what a cluster takes when it has nothing to do. */
export const footprintLimits = {
  /** Heartbeats and time-outs come several times in a second. */
  seconds: 10,
} as const;

/** Defaults of the comparison of batches that follow the load with fixed ones. */
export const adaptiveLimits = {
  /** From nothing to batch to more than one batch can hold. */
  clients: [1, 16, 256, 4096],
  /** All numbers of clients with all their settings then take about a minute and a half. */
  seconds: 2,
} as const;

/** Defaults of the comparison of ways to propose many commands. */
export const bulkLimits = {
  /** All rows then take about half a minute. */
  seconds: 3,
} as const;

/** Bounds and defaults of the comparison with others. */
export const compareLimits = {
  clients: [1, 256, 4096],
  /** A slice is then a second long, and all subjects take about four minutes. */
  seconds: 5,
  repeats: { min: 1, max: 1000, default: 5 },
} as const;

/** Bounds and defaults of the micro-benchmarks. */
export const microLimits = {
  /** All operations then take about half a minute. */
  seconds: 1,
  /** Of the baseline's speed. */
  failBelow: { min: 0, max: 1, default: 0.9 },
} as const;

/** A parser for commander. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return text => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
  };
}

/** A parser for commander: different integers, separated by commas, in ascending order. */
export function integersBetween(min: number, max: number): (text: string) => readonly number[] {
  const parse = integerBetween(min, max);
  return text => [...new Set(text.split(",").map(parse))].sort((a, b) => a - b);
}

/** A parser for commander. */
export const secondsBetween = numberBetween;

/** A parser for commander. */
export function numberBetween(min: number, max: number): (text: string) => number {
  return text => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** A parser for commander: identities, of rows unless said otherwise, separated by commas. */
export function idsAmong(allowed: readonly string[], one = "row"): (text: string) => readonly string[] {
  return text => {
    const ids = [...new Set(text.split(",").map(id => id.trim()))].filter(id => id !== "");
    const unknown = ids.filter(id => !allowed.includes(id));
    const help = `Allowed are ${allowed.join(", ")}.`;
    if (unknown.length > 0)
      throw new InvalidArgumentError(`There is no ${one} ${unknown.join(", ")}. ${help}`);
    if (ids.length === 0) throw new InvalidArgumentError(`It names no ${one}. ${help}`);
    return allowed.filter(id => ids.includes(id));
  };
}

/** A parser for commander: a file that can be written. Found out first, not when all is measured. */
export function writableFile(file: string): string {
  const folder = dirname(resolve(file));
  try {
    if (!statSync(folder).isDirectory()) throw new InvalidArgumentError(`${folder} is not a folder.`);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new InvalidArgumentError("It is a folder; name a file.");
    accessSync(found === undefined ? folder : file, constants.W_OK);
    return file;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `There is no folder ${folder}.` : `It cannot be written: ${code}.`;
    throw new InvalidArgumentError(why);
  }
}

/** Commands per Accept: more than a quarter of the clients would make the pipeline run in lock step. */
export function batchCommandsMax(options: Pick<BenchOptions, "batch" | "clients">): number {
  return Math.max(1, Math.min(options.batch, Math.floor(options.clients / 4)));
}
