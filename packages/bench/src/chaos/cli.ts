import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { integerBetween, threadsModes, writableFile } from "../options.js";
import { type ChaosOptions, chaosLimits, possibleFaults } from "./options.js";
import { renderReport } from "./report.js";
import { runChaos } from "./run.js";
import { type FaultKind, faultKinds } from "./schedule.js";

/** Fresh seeds are short enough to be typed. */
const freshSeedsBelow = 1_000_000_000;

const whole = (
  flag: string,
  { min, max, default: value }: { readonly min: number; readonly max: number; readonly default?: number },
  what: string,
): Option => {
  const option = new Option(`--${flag} <n>`, what).argParser(integerBetween(min, max));
  return value === undefined ? option : option.default(value);
};

const program = new Command("chaos")
  .description("Kills and stalls the threads of a cluster under load, and checks that nothing was lost.")
  .addOption(whole("seed", chaosLimits.seed, "what all faults are drawn from; a fresh one when left out"))
  .addOption(whole("seconds", chaosLimits.seconds, "how long faults happen"))
  .addOption(
    whole("commits", chaosLimits.commits, "run until so many commits instead; prints memory over time"),
  )
  .addOption(whole("client-threads", chaosLimits.clientThreads, "threads that use the cluster"))
  .addOption(whole("in-flight", chaosLimits.inFlight, "commands that each of them has under way"))
  .option("--faults <kinds>", `faults to draw from, or none: ${faultKinds.join(",")}`, faultsAmong)
  .addOption(whole("every-ms", chaosLimits.everyMs, "mean time between two faults"))
  .addOption(
    whole("kill-leader-every-ms", chaosLimits.everyMs, "kill only leaders, in the second third of the run")
      .default(undefined)
      .conflicts(["faults", "commits"]),
  )
  .addOption(whole("lease-ms", chaosLimits.leaseMs, "lease of the leader"))
  .addOption(whole("proposers", chaosLimits.proposers, "proposers"))
  .addOption(whole("acceptors", chaosLimits.acceptors, "acceptors"))
  .addOption(whole("learners", chaosLimits.learners, "learners"))
  .addOption(
    new Option("--threads <mode>", "which actors share a thread").choices(threadsModes).default("isolated"),
  )
  .addOption(whole("snapshot-every", chaosLimits.snapshotEvery, "commands between two snapshots"))
  .option("--out <file>", "write everything that was found to a file, as JSON", writableFile)
  .helpOption("--help", "show this")
  .showHelpAfterError();

function faultsAmong(text: string): readonly FaultKind[] {
  if (text.trim() === "none") return [];
  const names = text.split(",").map(name => name.trim());
  const unknown = names.filter(name => !faultKinds.some(kind => kind === name));
  if (unknown.length === 0) return faultKinds.filter(kind => names.includes(kind));
  throw new InvalidArgumentError(
    `There is no "${unknown.join('", "')}". Allowed are ${faultKinds.join(", ")}, none.`,
  );
}

/** Ends the process, with help, when the options are wrong. */
function readOptions(args: readonly string[]): ChaosOptions {
  // pnpm hands its own "--" on.
  program.parse(
    args.filter(argument => argument !== "--"),
    { from: "user" },
  );
  const options = program.opts<Partial<ChaosOptions> & Omit<ChaosOptions, "seed" | "faults">>();
  const { seed = Date.now() % freshSeedsBelow, faults = possibleFaults(options) } = options;
  const impossible = faults.filter(kind => !possibleFaults(options).includes(kind));
  if (impossible.length > 0) {
    program.error(`error: a cluster of this size does not get over ${impossible.join(", ")}`);
  }
  return { ...options, seed, faults: options.killLeaderEveryMs === undefined ? faults : ["kill-leader"] };
}

/** pnpm that is told to end leaves its child running: the child sees that its parent has changed. */
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(143);
}, 500).unref();

const options = readOptions(process.argv.slice(2));
const ending = new AbortController();
process.once("SIGINT", () => {
  console.error("ending early; once more to stop at once");
  process.once("SIGINT", () => process.exit(130));
  ending.abort();
});
process.once("SIGTERM", () => process.exit(143));
try {
  console.error(`seed ${options.seed}`);
  const result = await runChaos(options, { onLine: text => console.error(text), signal: ending.signal });
  console.log(renderReport(result));
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = result.violations.length > 0 ? 1 : result.interrupted ? 130 : 0;
} catch (error) {
  console.error(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(1);
}
