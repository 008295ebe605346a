import { randomUUID } from "node:crypto";
import { ResultError } from "../results/errors.js";
import type { Host, RowLine, RunLine, Versions } from "../results/format.js";
import { resultSchema } from "../results/format.js";
import { hostHere, loadAverageHere, versionsHere } from "../results/host.js";
import { type ResultFile, readResults } from "../results/reader.js";
import { ResultWriter } from "../results/writer.js";
import type { SweepOptions } from "./options.js";

/** A file that a sweep writes to, and what is in it already. */
export interface OpenResults {
  readonly file: string;
  readonly rows: RowLine[];
  /** False when the file begins with this run. */
  readonly isResumed: boolean;
  readonly isComplete: boolean;
  readonly seed: number;
  readonly warnings: readonly string[];
  /** Writes rows and remembers them. */
  add(...rows: RowLine[]): Promise<void>;
  end(): Promise<void>;
  close(): Promise<void>;
}

/** Options but for the seed, which is taken from the file when it is left out. */
export type AskedOptions = Omit<SweepOptions, "seed"> & { readonly seed: number | undefined };

/**
 * Begins a file, or goes on with one of the same options on the same machine.
 *
 * @throws ResultError `RESULT_OTHER_RUN`, and what {@link readResults} throws
 */
export async function openResults(
  file: string,
  asked: AskedOptions,
  freshSeed: number,
): Promise<OpenResults> {
  const old = await readIfThere(file);
  const first = old?.runs[0];
  const seed = asked.seed ?? (first === undefined ? freshSeed : Number(first.options.seed));
  const options: SweepOptions = { ...asked, seed };
  const run = runLine(options);
  if (first !== undefined) checkSame(file, first, run);
  const writer = await ResultWriter.open(file, old?.wholeBytes ?? 0);
  const rows = [...(old?.rows ?? [])];
  const isComplete = old?.end !== null && old !== null;
  if (!isComplete) await writer.write(run);
  return {
    ...{ file, rows, isResumed: first !== undefined, isComplete, seed, warnings: old?.warnings ?? [] },
    add: async (...added) => {
      await writer.write(...added);
      rows.push(...added);
    },
    end: () => writer.write({ kind: "end", at: new Date().toISOString(), rows: rows.length }),
    close: () => writer.close(),
  };
}

async function readIfThere(file: string): Promise<ResultFile | null> {
  try {
    return await readResults(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function runLine(options: SweepOptions): RunLine {
  return {
    ...{ kind: "run", schema: resultSchema, id: randomUUID(), command: "sweep" },
    startedAt: new Date().toISOString(),
    options: { ...options },
    ...{ host: hostHere(), versions: versionsHere(), noise: null, loadAverage: loadAverageHere() },
  };
}

/** Rows of two runs are compared with each other: they must differ in nothing but what was varied. */
function checkSame(file: string, first: RunLine, now: RunLine): void {
  const hostParts = ["cpuModel", "cores", "containerCpus", "platform", "arch"] as const;
  const versionParts = ["node", "v8", "synod", "git"] as const;
  const differences = [
    ...(first.command === now.command ? [] : [`it is of the command ${first.command}`]),
    ...different(first.options, now.options, name => `--${dashed(name)}`),
    ...different(pick<Host>(first.host, hostParts), pick<Host>(now.host, hostParts)),
    ...different(pick<Versions>(first.versions, versionParts), pick<Versions>(now.versions, versionParts)),
  ];
  if (differences.length === 0) return;
  throw new ResultError(
    "RESULT_OTHER_RUN",
    `${file} can't be continued: ${differences.join("; ")}. ` +
      "Repeat the command that began it, or name another file with --out",
  );
}

function different(then: object, now: object, nameOf: (name: string) => string = name => name): string[] {
  const [before, after] = [then, now] as [Record<string, unknown>, Record<string, unknown>];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const text = (value: unknown) => (Array.isArray(value) ? value.join() || "none" : String(value));
  return names
    .filter(name => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map(name => `it has ${nameOf(name)} ${text(before[name])}, this run ${text(after[name])}`);
}

function pick<From>(from: From, names: readonly (keyof From & string)[]): object {
  return Object.fromEntries(names.map(name => [name, from[name]]));
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}
