import { readFile, writeFile } from "node:fs/promises";
import { stringify } from "csv-stringify/sync";
import { ResultError } from "../results/errors.js";
import type { RowLine } from "../results/format.js";

/** A column for every setting and figure that is one value. */
const columns = {
  stage: row => row.stage ?? "grid",
  repeat: row => row.repeat,
  at: row => row.at,
  mode: row => row.settings.mode,
  clients: row => row.settings.clients,
  ratePerSecond: row => row.settings.ratePerSecond,
  batch: row => row.settings.batch,
  pipeline: row => row.settings.pipeline,
  payloadBytes: row => row.settings.payloadBytes,
  acceptors: row => row.settings.acceptors,
  learners: row => row.settings.learners,
  mailbox: row => row.settings.mailbox,
  threads: row => row.settings.threads,
  clientThreads: row => row.settings.clientThreads,
  seconds: row => row.seconds,
  commits: row => row.commits,
  commitsPerSecond: row => row.commitsPerSecond,
  p50Us: row => row.latencyUs.p50,
  p90Us: row => row.latencyUs.p90,
  p99Us: row => row.latencyUs.p99,
  p999Us: row => row.latencyUs.p999,
  maxUs: row => row.latencyUs.max,
  meanUs: row => row.latencyUs.mean,
  clientQueueUs: row => row.stagesUs?.clientQueue ?? null,
  proposerUs: row => row.stagesUs?.proposer ?? null,
  acceptorsUs: row => row.stagesUs?.acceptors ?? null,
  learnerUs: row => row.stagesUs?.learner ?? null,
  replyUs: row => row.stagesUs?.reply ?? null,
  processCores: row => row.cpu?.process ?? null,
  loadAverage1: row => row.loadAverage[0],
  warnings: row => row.warnings.join("; "),
} as const satisfies Readonly<Record<string, (row: RowLine) => string | number | null>>;

/** Rows as comma-separated values (RFC 4180), under a line of names. */
export function csvOf(rows: readonly RowLine[]): string {
  const records = rows.map(row => Object.values(columns).map(cell => cell(row)));
  return stringify([Object.keys(columns), ...records], { record_delimiter: "\n" });
}

/** @throws ResultError `RESULT_OTHER_RUN` when the file is there, and is none that {@link writeCsv} has written */
export async function checkCsv(file: string): Promise<void> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (content === "" || content.startsWith(`${Object.keys(columns).join()}\n`)) return;
  const message = `${file} was not written by synod-bench sweep, which would replace it: name another one with --csv`;
  throw new ResultError("RESULT_OTHER_RUN", message);
}

export async function writeCsv(file: string, rows: readonly RowLine[]): Promise<void> {
  await writeFile(file, csvOf(rows));
}
