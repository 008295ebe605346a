import { randomInt } from "node:crypto";
import { Random } from "@synod/core/testing";
import * as v from "valibot";
import { check } from "../check-options.js";
import { invalid } from "../invalid-option.js";
import type { AnyStateMachine, BytesOf, CommandOf, QueryOf } from "../state-machine.js";
import { Finding, StateMachineCheckError } from "./check-error.js";
import { runChecks } from "./checks.js";
import { commandOf, makeSteps, type Source, type Sources, type Step } from "./steps.js";

/** What {@link checkStateMachine} is given. */
export interface StateMachineCheckOptions<M extends AnyStateMachine> {
  /** Makes a machine as a learner does: each call a new one, in the same state. */
  readonly create: () => M;
  /** The log: a list that every run applies as it stands, or a function that draws each command. */
  readonly commands?: readonly CommandOf<M>[] | ((random: Random) => CommandOf<M>);
  /** Instead of `commands` the log of a machine with `applyBatch`: each command is a Uint8Array of its own. */
  readonly records?: readonly BytesOf<M>[] | ((random: Random) => BytesOf<M>);
  /** What is asked on the way: a list to pick from, or a function that draws. Left out, nothing is. */
  readonly queries?: readonly QueryOf<M>[] | ((random: Random) => QueryOf<M>);
  /** Where chance begins; run number n has seed + n. Drawn when left out, and named by every failure. */
  readonly seed?: number;
  /** How many logs, or how many ways to go through the given one. 50 when left out. */
  readonly runs?: number;
  /** Length of a drawn log: at most so many. 40 when left out. */
  readonly commandsMax?: number;
}

const positive = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)));
const schema = v.strictObject({
  create: v.function(),
  commands: v.optional(v.union([v.array(v.unknown()), v.function()])),
  records: v.optional(v.union([v.array(v.unknown()), v.function()])),
  queries: v.optional(v.union([v.array(v.unknown()), v.function()])),
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER))),
  runs: positive,
  commandsMax: positive,
});

/** Bound the time that a failure is shortened for. */
const attemptsMax = 500;
const snapshotsMax = 100;

/**
 * Looks for whatever would make replicas differ: runs a state machine's commands on several instances, at other
 * times, through snapshots and restarts, and compares results, answers and snapshots. {@link StateMachineCheckError}
 * says what does not hold, for which commands, the fewest that were found, and with which seed.
 *
 * During calls of the second instance `Date`, `performance.now` and `Math.random` of this thread are replaced; they
 * are back before anything is awaited.
 *
 * @throws StateMachineCheckError
 * @throws SynodError `INVALID_OPTIONS`
 */
export async function checkStateMachine<M extends AnyStateMachine>(
  options: StateMachineCheckOptions<M>,
): Promise<void> {
  check(schema, options);
  const { create, runs = 50, commandsMax = 40, seed = randomInt(2 ** 32) } = options;
  const sources = sourcesOf(options);
  for (let run = 0; run < runs; run++) {
    const random = new Random(seed + run);
    const steps: Step[] = [];
    const finding = await findingOf(async () => {
      const generated = random.between(Math.min(2, commandsMax), commandsMax);
      makeSteps(steps, random, sources, generated);
      await runChecks(create, steps);
    });
    if (finding === undefined) continue;
    const isAboutInput = finding.check === "commands and queries survive the encoding";
    const shortest = isAboutInput ? { steps: [], finding } : await shorten(create, steps, finding);
    const shown = shortest.steps.map(step => {
      const { instance, timeMs } = step;
      return { command: commandOf(step), instance, timeMs };
    });
    throw new StateMachineCheckError(shortest.finding, seed + run, shown, steps.length);
  }
}

function sourcesOf<M extends AnyStateMachine>(options: StateMachineCheckOptions<M>): Sources {
  const { commands, records, queries } = options;
  if ((commands === undefined) === (records === undefined)) {
    throw invalid("commands", commands, "a list or a function, or else one in the option records");
  }
  const given = (commands ?? records) as Source<unknown>;
  if (given.length === 0 && typeof given !== "function")
    throw invalid("commands", given, "at least one command");
  return {
    commands: given,
    areBytes: records !== undefined,
    queries: queries as Source<unknown> | undefined,
  };
}

interface Failure {
  readonly steps: readonly Step[];
  readonly finding: Finding;
}

/** Leaves out commands, many at a time and then single ones, as long as the same check fails. */
async function shorten(
  create: () => AnyStateMachine,
  steps: readonly Step[],
  finding: Finding,
): Promise<Failure> {
  let best: Failure = { steps, finding };
  let attempts = 0;
  const attempt = async (simpler: readonly Step[]): Promise<boolean> => {
    attempts++;
    const found = await findingOf(() => runChecks(create, simpler));
    if (found?.check !== finding.check) return false;
    best = { steps: simpler, finding: found };
    return true;
  };
  // With a snapshot after every command none is needed for the sake of its snapshot.
  if (steps.length <= snapshotsMax) await attempt(steps.map(step => ({ ...step, snapshots: true })));
  for (let size = steps.length >> 1; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    let at = 0;
    while (at < best.steps.length && attempts < attemptsMax) {
      const fewer = [...best.steps.slice(0, at), ...best.steps.slice(at + size)];
      if (!(await attempt(fewer))) at += size;
    }
  }
  return best;
}

async function findingOf(run: () => Promise<void>): Promise<Finding | undefined> {
  try {
    await run();
    return undefined;
  } catch (cause) {
    if (cause instanceof Finding) return cause;
    throw cause;
  }
}
