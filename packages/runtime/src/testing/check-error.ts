import { inspect } from "node:util";
import { SynodError } from "../errors.js";

/** What {@link checkStateMachine} finds out about a machine; a failure names the one that did not hold. */
export type CheckName =
  | "commands and queries survive the encoding"
  | "methods do not throw"
  | "apply finishes before it returns"
  | "query finishes before it returns"
  | "results survive the encoding"
  | "answers survive the encoding"
  | "snapshots survive the encoding"
  | "apply leaves its command alone"
  | "machines share nothing"
  | "batches may be cut anywhere"
  | "replicas agree"
  | "query changes nothing"
  | "snapshot changes nothing"
  | "snapshots stand still"
  | "restore gives the state back"
  | "restore replaces what was there"
  | "restarts leave no trace";

/** What a check saw that must not be. */
export interface FindingDetails {
  /** Where in the log, if it is about one command. */
  readonly instance?: number;
  readonly expected?: unknown;
  readonly found?: unknown;
  /** Of a value that the encoding would damage. */
  readonly path?: string;
  readonly cause?: unknown;
}

/** Ends a run of the checks. It becomes a {@link StateMachineCheckError} once its commands are as few as can be. */
export class Finding extends Error {
  constructor(
    readonly check: CheckName,
    message: string,
    readonly details: FindingDetails = {},
  ) {
    super(message);
  }
}

/** A command of the shortest list that fails, and where it stood in the log. */
export interface StepOfFailure {
  readonly command: unknown;
  readonly instance: number;
  readonly timeMs: number;
}

/** Shown at most, in characters: a runner prints the message. */
const valueCharactersMax = 2000;
const commandsShownMax = 30;

/** A state machine does not do what replicas rely on. The message shows all that the fields hold. */
export class StateMachineCheckError extends SynodError {
  readonly check: CheckName;
  /** With this seed and `runs: 1` the run is repeated. */
  readonly seed: number;
  /** The shortest list of commands that was found to fail in the same way. */
  readonly steps: readonly StepOfFailure[];
  declare readonly instance?: number;
  declare readonly expected?: unknown;
  declare readonly found?: unknown;

  constructor(finding: Finding, seed: number, steps: readonly StepOfFailure[], commandsBefore: number) {
    const { instance, path, cause } = finding.details;
    super("STATE_MACHINE_CHECK_FAILED", describe(finding, seed, steps, commandsBefore), {
      ...(path === undefined ? {} : { path }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.check = finding.check;
    this.seed = seed;
    this.steps = steps;
    if (instance !== undefined) this.instance = instance;
    for (const field of ["expected", "found"] as const) {
      if (field in finding.details) Object.assign(this, { [field]: finding.details[field] });
    }
  }
}

function describe(
  finding: Finding,
  seed: number,
  steps: readonly StepOfFailure[],
  commandsBefore: number,
): string {
  const lines = [`check failed: ${finding.check}`, finding.message];
  for (const field of ["expected", "found"] as const) {
    if (field in finding.details) lines.push(`${field.padEnd(8)}: ${show(finding.details[field])}`);
  }
  const count = commandCount(steps.length);
  if (steps.length > 0)
    lines.push(
      steps.length === commandsBefore ? `${count}:` : `${count}, the shortest of ${commandsBefore}:`,
    );
  for (const { command, instance, timeMs } of steps.slice(0, commandsShownMax))
    lines.push(`  instance ${instance} at ${timeMs} ms: ${show(command)}`);
  if (steps.length > commandsShownMax) lines.push(`  and ${steps.length - commandsShownMax} more`);
  lines.push(`repeat it with seed: ${seed}, runs: 1`);
  return lines.join("\n");
}

/** A value as text, cut where it gets long. */
export function show(value: unknown): string {
  const text = inspect(value, { depth: 8, breakLength: 100, maxArrayLength: 50, maxStringLength: 500 });
  return text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax)}...` : text;
}

export function commandCount(count: number): string {
  return `${count} ${count === 1 ? "command" : "commands"}`;
}
