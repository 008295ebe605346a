import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { whenEnding } from "../ending.js";
import {
  compareLimits,
  idsAmong,
  integerBetween,
  integersBetween,
  optionLimits,
  secondsBetween,
  threadsModes,
  writableFile,
} from "../options.js";
import { withProgress } from "../progress.js";
import { rivalIds } from "./catalogue.js";
import { type CompareOptions, measureComparison } from "./run.js";
import { renderComparison } from "./table.js";

/** `synod-bench compare`. */
export function compareCommand(): Command {
  const { clients, payload, seconds } = optionLimits;
  const { repeats } = compareLimits;
  return new Command("compare")
    .description(
      "the same load on what one would take instead: servers, other libraries, no guarantee at all",
    )
    .option("--with <names>", `what to compare with: ${rivalIds.join(",")}`, idsAmong(rivalIds))
    .addOption(
      new Option("--clients <list>", "closed-loop clients, numbers with commas between them")
        .argParser(integersBetween(clients.min, clients.max))
        .default(compareLimits.clients, compareLimits.clients.join()),
    )
    .addOption(
      new Option("--payload <n>", "bytes that each command carries besides")
        .argParser(integerBetween(payload.min, payload.max))
        .default(payload.default),
    )
    .addOption(
      new Option("--seconds <s>", "measured seconds per subject and number of clients, over all repeats")
        .argParser(secondsBetween(seconds.min, seconds.max))
        .default(compareLimits.seconds),
    )
    .addOption(
      new Option("--repeats <n>", "slices into which these seconds are cut")
        .argParser(integerBetween(repeats.min, repeats.max))
        .default(repeats.default),
    )
    .addOption(
      new Option("--threads <mode>", "which actors of Synod share a thread")
        .choices(threadsModes)
        .default("isolated"),
    )
    .addOption(
      new Option("--json <file>", "write everything that was measured to a file").argParser(writableFile),
    )
    .action((options: CompareOptions) => runCompare(options));
}

async function runCompare(options: CompareOptions): Promise<void> {
  const { result: found, conditions } = await withProgress(onStep =>
    measureComparison(options, {
      onStep,
      onLine: text => console.error(text),
      onStarted: whenEnding,
    }),
  );
  console.log(renderComparison(found));
  if (options.json === undefined) return;
  const result = { ...conditions, options, ...found };
  await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
}
