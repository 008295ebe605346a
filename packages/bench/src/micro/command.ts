import { readFile, writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import {
  idsAmong,
  microLimits,
  numberBetween,
  optionLimits,
  secondsBetween,
  writableFile,
} from "../options.js";
import { withProgress } from "../progress.js";
import { hostHere, versionsHere } from "../results/host.js";
import {
  compareFigures,
  complaintOf,
  incomparable,
  type MicroReport,
  parseMicroReport,
  renewalOf,
} from "./comparison.js";
import { microNames } from "./kinds.js";
import { type MicroOptions, measureMicro } from "./run.js";
import { renderFigures, renderMicroComparisons } from "./table.js";

interface MicroCommandOptions extends MicroOptions {
  readonly json?: string;
  readonly compare?: string;
  readonly baseline?: string;
  readonly failBelow: number;
}

/** Exit codes of a run with a baseline. */
const becameSlower = 1;
const notComparable = 2;

/** `synod-bench micro`. */
export function microCommand(): Command {
  const { seconds } = optionLimits;
  const { failBelow } = microLimits;
  return new Command("micro")
    .description("single operations: codec, mailboxes, wake-up, each step of the protocol, applying")
    .option("--only <names>", `what to measure: ${microNames.join(",")}`, idsAmong(microNames))
    .addOption(
      new Option("--seconds <s>", "measured seconds per operation")
        .argParser(secondsBetween(seconds.min, seconds.max))
        .default(microLimits.seconds),
    )
    .addOption(new Option("--json <file>", "write what was measured to a file").argParser(writableFile))
    .addOption(new Option("--compare <file>", "an earlier result: shows what is faster or slower now"))
    .addOption(
      new Option(
        "--baseline <file>",
        "an earlier result: ends with exit code 1 when something became slower",
      ),
    )
    .addOption(
      new Option("--fail-below <part>", "of the baseline's speed")
        .argParser(numberBetween(failBelow.min, failBelow.max))
        .default(failBelow.default),
    )
    .action((options: MicroCommandOptions) => runMicro(options));
}

async function runMicro(options: MicroCommandOptions): Promise<void> {
  const here = { machine: hostHere(), versions: versionsHere() };
  const [old, baseline] = await Promise.all([read(options.compare), read(options.baseline)]);
  // Before a minute goes into figures that could not be used.
  if (baseline !== undefined && !isUsable(baseline, here, options)) return;
  const { result: figures, conditions } = await withProgress(onStep => measureMicro(options, onStep));
  console.log(renderFigures(figures));
  if (old !== undefined) {
    console.log(`\n${renderMicroComparisons(compareFigures(old.figures, figures))}`);
    for (const reason of incomparable(old, here)) console.log(`Warning: not the same ${reason}.`);
  }
  if (options.json !== undefined) {
    const { only, seconds } = options;
    const told = { ...(only && { only }), seconds };
    const report: MicroReport = { kind: "micro", ...conditions, options: told, figures };
    await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (baseline !== undefined) judge(baseline, figures, options);
}

async function read(file: string | undefined): Promise<MicroReport | undefined> {
  return file === undefined ? undefined : parseMicroReport(await readFile(file, "utf8"), file);
}

function isUsable(
  baseline: MicroReport,
  here: Pick<MicroReport, "machine" | "versions">,
  { baseline: file = "" }: MicroCommandOptions,
): boolean {
  const reasons = incomparable(baseline, here);
  if (reasons.length === 0) return true;
  console.error(`error: ${file} is of another machine. ${reasons.join("; ")}.\n${renewalOf(file)}`);
  process.exitCode = notComparable;
  return false;
}

function judge(
  baseline: MicroReport,
  figures: MicroReport["figures"],
  { baseline: file = "", compare, failBelow }: MicroCommandOptions,
): void {
  const compared = compareFigures(baseline.figures, figures);
  if (compare !== file) console.log(`\n${renderMicroComparisons(compared)}`);
  const unknown = figures.filter(({ id }) => !compared.some(other => other.id === id));
  if (unknown.length > 0) console.log(`\nnot in ${file}: ${unknown.map(({ id }) => id).join(", ")}`);
  const complaint = complaintOf(compared, file, failBelow);
  if (complaint === undefined) return console.log(`\nnothing is below ${failBelow} x of the baseline`);
  console.error(`\n${complaint}`);
  process.exitCode = becameSlower;
}
