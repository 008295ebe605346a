/**
 * `RESULT_SCHEMA`: written by another version; `RESULT_MALFORMED`: no result; `RESULT_OTHER_RUN`: of other options;
 * `RESULT_NOT_READ`: the file system does not give it out; `RESULT_EMPTY`: nothing was measured yet;
 * `REPORT_IMPOSSIBLE`: too many files, or the report would replace one of them.
 */
export type ResultErrorCode =
  | "RESULT_SCHEMA"
  | "RESULT_MALFORMED"
  | "RESULT_OTHER_RUN"
  | "RESULT_NOT_READ"
  | "RESULT_EMPTY"
  | "REPORT_IMPOSSIBLE";

/** What is wrong with a result file, and what to do. Callers branch on the code. */
export class ResultError extends Error {
  override readonly name = "ResultError";
  readonly code: ResultErrorCode;

  constructor(code: ResultErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
