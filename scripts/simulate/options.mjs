import { availableParallelism } from "node:os";
import { faultKinds } from "@synod/core/testing";
import { Command, InvalidArgumentError, Option } from "commander";
import { integerBetween } from "../command-line/integer-between.mjs";

/** Each thread has a heap of its own; more of them than cores gain nothing. */
const jobsMax = 256;
/** The threads count the seeds in 32 bits. */
const seedsMax = 1_000_000_000;
const seedMax = Number.MAX_SAFE_INTEGER - seedsMax;

/**
 * @typedef {object} RunOptions
 * @property {number} [steps] steps with faults; drawn from the seed when left out
 * @property {import("@synod/core/testing").FaultKind[]} [without] faults to leave out
 *
 * @typedef {RunOptions & { seed?: number, seeds: number, base: number, jobs: number, strict: boolean }} Options
 */

/** Ends the process, with help, when they are wrong. @param {readonly string[]} args @returns {Options} */
export function readOptions(args) {
  const program = new Command("simulate")
    .description(
      "Runs the roles of @synod/core over a faulty network in virtual time, and checks every step.",
    )
    .addOption(
      new Option("--seed <n>", "replay one run")
        .argParser(integerBetween(0, seedMax))
        .conflicts(["seeds", "base", "jobs", "strict"]),
    )
    .option("--seeds <n>", "seeds to run", integerBetween(1, seedsMax), 1000)
    .option("--base <n>", "the first seed; a fresh one when left out", integerBetween(0, seedMax))
    .option("--jobs <n>", "threads; one per core when left out", integerBetween(1, jobsMax))
    .option("--steps <n>", "steps with faults", integerBetween(0, Number.MAX_SAFE_INTEGER))
    .option("--without <kinds>", `faults to leave out: ${faultKinds.join(",")}`, faultsAmong)
    .option("--strict", "fail when something that is counted never happens")
    .helpOption("--help", "show this")
    .showHelpAfterError();
  // pnpm hands its own "--" on.
  program.parse(
    args.filter(argument => argument !== "--"),
    { from: "user" },
  );
  const options = program.opts();
  const base = options.base ?? Date.now() % 1_000_000_000;
  const jobs = Math.min(options.jobs ?? availableParallelism(), options.seeds);
  return { ...options, seeds: options.seeds, strict: options.strict === true, base, jobs };
}

/** Ends the process without a stack trace. @param {unknown} error @returns {never} */
export function fail(error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

/** @param {number} seed @param {RunOptions} options @returns {import("@synod/core/testing").SimulationOptions} */
export function optionsOf(seed, { steps, without }) {
  return {
    seed,
    ...(steps === undefined ? {} : { faultSteps: steps }),
    ...(without === undefined ? {} : { without }),
  };
}

/** @param {string} text */
function faultsAmong(text) {
  const names = text.split(",").map(name => name.trim());
  const unknown = names.filter(name => !faultKinds.some(kind => kind === name));
  if (unknown.length === 0) return faultKinds.filter(kind => names.includes(kind));
  throw new InvalidArgumentError(
    `There is no "${unknown.join('", "')}". Allowed are ${faultKinds.join(", ")}.`,
  );
}
