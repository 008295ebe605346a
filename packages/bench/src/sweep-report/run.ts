import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ResultError } from "../results/errors.js";
import { type ResultFile, readResults } from "../results/reader.js";
import { reportLimits } from "./limits.js";
import { renderPage } from "./page.js";
import type { LabelledFile } from "./points.js";

/**
 * Reads result files and writes the page that shows them; a file of that name is replaced.
 *
 * @throws ResultError for files that it can't show, or what the file system says of `out`
 */
export async function writeReport(files: readonly string[], out: string): Promise<void> {
  if (files.length > reportLimits.files) {
    const what = `${files.length} files are too many for one page: name ${reportLimits.files} at most`;
    throw new ResultError("REPORT_IMPOSSIBLE", what);
  }
  if (files.some(file => resolve(file) === resolve(out))) {
    throw new ResultError("REPORT_IMPOSSIBLE", `${out} is one of the results: name another file after --out`);
  }
  const results: ResultFile[] = [];
  for (const file of files) results.push(await readWithRows(file));
  await writeFile(out, renderPage(labelled(results)));
}

async function readWithRows(file: string): Promise<ResultFile> {
  const results = await readResults(file).catch((error: NodeJS.ErrnoException) => {
    if (error.syscall === undefined) throw error;
    const what = `${file} can't be read (${error.code}): name a file that synod-bench sweep --out has written`;
    throw new ResultError("RESULT_NOT_READ", what, error);
  });
  if (results.rows.length > 0) return results;
  throw new ResultError(
    "RESULT_EMPTY",
    `${file} holds no row that was measured: run synod-bench sweep with --out ${file} until it has some`,
  );
}

/** A single file needs no letter. */
export function labelled(results: readonly ResultFile[]): LabelledFile[] {
  return results.map((of, index) => ({
    label: results.length === 1 ? "" : String.fromCharCode("A".charCodeAt(0) + index),
    results: of,
  }));
}
