/** Callers branch on these, never on the text. */
export type SynodErrorCode =
  | "INVALID_OPTIONS"
  | "UNSUPPORTED_ENVIRONMENT"
  | "STATE_MACHINE_NOT_LOADED"
  | "NOT_SERIALIZABLE"
  | "COMMAND_TOO_LARGE"
  | "ABORTED"
  | "TIMEOUT"
  | "NO_QUORUM"
  | "OVERLOADED"
  | "STATE_MACHINE_FAILED"
  | "STATE_MACHINE_CHECK_FAILED"
  | "STORAGE_FAILED"
  | "SESSION_EXPIRED"
  | "ACTOR_FAILED"
  | "NO_LEADER"
  | "RESTORING"
  | "LOG_TRIMMED"
  | "DEPENDENCY_MISSING"
  | "CLUSTER_CLOSED";

/** Whether a command that failed may still take effect, or may have taken effect already. */
export type Outcome = "not-applied" | "unknown";

export interface SynodErrorDetails {
  readonly outcome?: Outcome;
  /** Where in the command, option or result the trouble is: `command.items[3].onDone`. */
  readonly path?: string;
  /** `LOG_TRIMMED`: the first instance that is still remembered. */
  readonly firstInstance?: number;
  readonly cause?: unknown;
}

/** Every error that Synod gives to its callers. */
export class SynodError extends Error {
  override readonly name = "SynodError";
  readonly code: SynodErrorCode;
  /** On errors of a propose: whether the command may have taken effect. */
  declare readonly outcome?: Outcome;
  declare readonly path?: string;
  /** On `LOG_TRIMMED`: the first instance of the log that is still remembered. */
  declare readonly firstInstance?: number;

  constructor(code: SynodErrorCode, message: string, details: SynodErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.outcome !== undefined) this.outcome = details.outcome;
    if (details.path !== undefined) this.path = details.path;
    if (details.firstInstance !== undefined) this.firstInstance = details.firstInstance;
  }
}
