import { type Outcome, SynodError } from "./errors.js";

/** Consecutive commands of one call that failed alike. */
export interface CommandFailure {
  /** Position of the first of them in what was proposed. */
  readonly index: number;
  readonly count: number;
  /**
   * Why: `STATE_MACHINE_FAILED` when they were applied and the state machine threw; otherwise its `outcome` says whether
   * they may still take effect.
   */
  readonly error: SynodError;
}

/** Failures that the message tells of one by one. */
const failuresShownMax = 3;

/**
 * Some or all commands of a `proposeAll` or `proposeBytes` have failed; the others were applied, and their results are
 * here. `code` is that of what ended the wait, such as `TIMEOUT`; where every command was answered it is
 * `STATE_MACHINE_FAILED`. `outcome` is `unknown` if a command may still take effect, `not-applied` if none has and none
 * will, and otherwise left out.
 */
export class ProposeAllError<Results = unknown> extends SynodError {
  /** What failed, in the order of the commands. */
  readonly failures: readonly CommandFailure[];
  /** Of an array of commands an array, undefined where one failed; of bytes numbers, NaN where one failed. */
  readonly results: Results;

  /** `failures` is not empty, and in order. */
  constructor(failures: readonly CommandFailure[], results: Results, count: number) {
    const ending = (failures.find(({ error }) => error.code !== "STATE_MACHINE_FAILED") ?? failures[0]!)
      .error;
    const outcome = outcomeOf(failures, count);
    super(ending.code, describe(failures, count), {
      cause: ending,
      ...(outcome === undefined ? {} : { outcome }),
    });
    this.failures = failures;
    this.results = results;
  }

  /** Why the command at this position failed; undefined if it was applied. */
  errorAt(index: number): SynodError | undefined {
    return this.failures.find(failure => index >= failure.index && index < failure.index + failure.count)
      ?.error;
  }
}

function outcomeOf(failures: readonly CommandFailure[], count: number): Outcome | undefined {
  if (failures.some(({ error }) => error.outcome === "unknown")) return "unknown";
  const notApplied = failures.reduce(
    (sum, { count, error }) => (error.outcome === "not-applied" ? sum + count : sum),
    0,
  );
  return notApplied === count ? "not-applied" : undefined;
}

function describe(failures: readonly CommandFailure[], count: number): string {
  const failed = failures.reduce((sum, failure) => sum + failure.count, 0);
  const shown = failures.slice(0, failuresShownMax).map(({ index, count, error }) => {
    const which = count === 1 ? `command ${index}` : `commands ${index} to ${index + count - 1}`;
    return `${which}: ${error.message}`;
  });
  if (failures.length > failuresShownMax) shown.push("and so on, see failures");
  return `${failed} of ${count} commands failed; ${shown.join("; ")}`;
}
