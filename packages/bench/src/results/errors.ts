/** `RESULT_SCHEMA`: written by another version; `RESULT_MALFORMED`: no result; `RESULT_OTHER_RUN`: of other options. */
export type ResultErrorCode = "RESULT_SCHEMA" | "RESULT_MALFORMED" | "RESULT_OTHER_RUN";

/** What is wrong with a result file, and what to do. Callers branch on the code. */
export class ResultError extends Error {
  override readonly name = "ResultError";
  readonly code: ResultErrorCode;

  constructor(code: ResultErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
