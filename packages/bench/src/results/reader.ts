import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { ResultError } from "./errors.js";
import {
  type EndLine,
  lineSchema,
  type ResultLine,
  type RowLine,
  type RunLine,
  resultSchema,
} from "./format.js";

/** A file of results. */
export interface ResultFile {
  readonly file: string;
  /** The first one, then one for each time that it was resumed; none only where the first line was cut. */
  readonly runs: readonly RunLine[];
  readonly rows: readonly RowLine[];
  /** Of the last run; null when it did not come to its end. */
  readonly end: EndLine | null;
  /** What a reader should know of the file, in sentences. */
  readonly warnings: readonly string[];
  /** Bytes of all whole lines: what comes after them was cut, and may be overwritten. */
  readonly wholeBytes: number;
}

/** @throws ResultError, or what the file system says */
export async function readResults(file: string): Promise<ResultFile> {
  return parseResults(await readFile(file), file);
}

/** Reads JSON Lines. A last line that was cut is left out, with a warning. @throws ResultError */
export function parseResults(content: Uint8Array, file: string): ResultFile {
  const newline = content.lastIndexOf(0x0a);
  const texts = new TextDecoder().decode(content.subarray(0, newline + 1)).split("\n");
  const runs: RunLine[] = [];
  const rows: RowLine[] = [];
  const warnings: string[] = [];
  let end: EndLine | null = null;
  texts.forEach((text, index) => {
    if (text.trim() === "") return;
    const line = parseLine(text, `line ${index + 1} of ${file}`, warnings);
    if (line === null) return;
    if (line.kind !== "run" && runs.length === 0) throw malformed(`line ${index + 1} of ${file}`);
    if (line.kind === "run") runs.push(line);
    else if (line.kind === "row") rows.push(line);
    end = line.kind === "end" ? line : null;
  });
  const wholeBytes = newline + 1;
  if (wholeBytes < content.length) {
    warnings.push(`${file} ends in the middle of a line: what was being written then is missing`);
  }
  return { file, runs, rows, end, warnings, wholeBytes };
}

/** Null of a kind that this version does not know, which it passes over. */
function parseLine(text: string, place: string, warnings: string[]): ResultLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(place, error);
  }
  const kind = v.safeParse(v.looseObject({ kind: v.string(), schema: v.optional(v.unknown()) }), value);
  if (!kind.success) throw malformed(place);
  if (kind.output.kind === "run" && kind.output.schema !== resultSchema) {
    throw new ResultError(
      "RESULT_SCHEMA",
      `${place} has schema ${JSON.stringify(kind.output.schema)}; this version reads ${resultSchema}: ` +
        "use the version of @synod/bench that wrote the file, or measure again",
    );
  }
  if (!lineSchema.options.some(({ entries }) => entries.kind.literal === kind.output.kind)) {
    warnings.push(`${place} is a "${kind.output.kind}", which this version does not know: passed over`);
    return null;
  }
  const line = v.safeParse(lineSchema, value);
  if (line.success) return line.output;
  const issue = line.issues[0];
  throw malformed(`${v.getDotPath(issue) ?? "something"} in ${place} (${issue.message})`, line.issues);
}

function malformed(what: string, cause?: unknown): ResultError {
  return new ResultError(
    "RESULT_MALFORMED",
    `${what} is not what synod-bench sweep writes: name one of its .jsonl files, or remove that line`,
    cause,
  );
}
