#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { renderAdaptive } from "./adaptive-table.js";
import { renderBulk } from "./bulk-table.js";
import { compareCommand } from "./compare/command.js";
import { type EmbedOptions, embedSections, measureEmbedding, renderEmbedding } from "./embed/run.js";
import { atInterrupt, endWhenTold, isEnding } from "./ending.js";
import { type AdaptiveOptions, measureAdaptive } from "./experiments/adaptive.js";
import { type BulkOptions, measureBulk } from "./experiments/bulk.js";
import { type FootprintOptions, measureFootprint, renderFootprint } from "./experiments/footprint.js";
import { experiments } from "./experiments/index.js";
import { runMailbox } from "./experiments/mailbox.js";
import { runTrace, type TraceOptions } from "./experiments/trace.js";
import { type Group, groupsOf } from "./groups.js";
import { liveCommand } from "./live/command.js";
import { measure, stepsOf } from "./measure.js";
import { microCommand } from "./micro/command.js";
import {
  adaptiveLimits,
  type BenchOptions,
  bulkLimits,
  footprintLimits,
  idsAmong,
  integerBetween,
  integersBetween,
  optionLimits,
  secondsBetween,
  threadsModes,
  traceLimits,
  writableFile,
} from "./options.js";
import { profileLimits } from "./profile/limits.js";
import { type ProfileOptions, profileSteps, runProfile } from "./profile/run.js";
import { loadKinds, mailboxKinds } from "./profile/subject.js";
import { watched, withProgress } from "./progress.js";
import { type MeasuredGroup, reportOf } from "./report.js";
import type { Conditions } from "./results/conditions.js";
import { addSweep } from "./sweep/command.js";
import { renderComparisons, renderNoise, renderTable } from "./table.js";

const ids = experiments.map(({ id }) => id);
const whole = (name: Exclude<keyof typeof optionLimits, "seconds">, what: string): Option => {
  const { min, max, default: value } = optionLimits[name];
  return new Option(`--${name} <n>`, what).argParser(integerBetween(min, max)).default(value);
};
const seconds = (what: string, value: number): Option => {
  const { min, max } = optionLimits.seconds;
  return new Option("--seconds <s>", what).argParser(secondsBetween(min, max)).default(value);
};
const json = new Option("--json <file>", "write everything that was measured to a file").argParser(
  writableFile,
);
const acceptors = whole("acceptors", "acceptors");
const learners = whole("learners", "learners");
const threads = (): Option =>
  new Option("--threads <mode>", "which actors share a thread").choices(threadsModes);
const payload = whole("payload", "bytes that each command carries besides");

const program = new Command("synod-bench").description("Measures what each idea of Multi-Paxos buys.");
program
  .enablePositionalOptions()
  // Passed on to the commands, which are made after it.
  .showHelpAfterError("(add --help to see what there is)")
  .addOption(whole("clients", "closed-loop clients"))
  .addOption(whole("batch", "commands per Accept, at most a quarter of the clients"))
  .addOption(whole("pipeline", "Accepts under way"))
  .addOption(acceptors)
  .addOption(learners)
  .addOption(threads().default("isolated"))
  .addOption(payload)
  .addOption(seconds("measured seconds per row", optionLimits.seconds.default))
  .option("--only <ids>", `rows to run: ${ids.join(",")}`, idsAmong(ids))
  .addOption(json)
  .action(runRowsOnly)
  .hook("preSubcommand", refuseOptionsBeforeCommand);
program
  .command("mailbox")
  .description("ring against MessagePort between two threads")
  .addOption(seconds("measured seconds per frame size", optionLimits.seconds.default))
  .action(async (options: { readonly seconds: number }) => {
    await watched(() => runMailbox(options));
  });
program
  .command("adaptive")
  .description("batches that follow the load against the best fixed setting, at several numbers of clients")
  .addOption(
    new Option("--clients <list>", "closed-loop clients, numbers with commas between them")
      .argParser(integersBetween(optionLimits.clients.min, optionLimits.clients.max))
      .default(adaptiveLimits.clients, adaptiveLimits.clients.join()),
  )
  .addOption(payload)
  .addOption(seconds("measured seconds per setting and number of clients", adaptiveLimits.seconds))
  .addOption(json)
  .action(runAdaptive);
program
  .command("bulk")
  .description("one command at a time against arrays and bytes with one promise each")
  .addOption(seconds("measured seconds per row", bulkLimits.seconds))
  .addOption(json)
  .action(runBulk);
program
  .command("footprint")
  .description("what a cluster takes that has nothing to do, and how soon it is ready")
  .addOption(seconds("seconds that each cluster is left alone", footprintLimits.seconds))
  .addOption(threads())
  .addOption(json)
  .action(runFootprint);
program
  .command("embed")
  .description(
    "what embedding costs: reads, latency by threads mode, catching up, many commands at once, start-up",
  )
  .addOption(
    new Option("--seconds <s>", "measured seconds per row (2)").argParser(
      secondsBetween(optionLimits.seconds.min, optionLimits.seconds.max),
    ),
  )
  .option(
    "--only <sections>",
    `what to measure: ${embedSections.join(",")}`,
    idsAmong(embedSections, "section"),
  )
  .option("--quick", "as little as shows that it works; the figures say nothing", false)
  .addOption(
    new Option("--out, --json <file>", "write everything that was measured to a file").argParser(
      writableFile,
    ),
  )
  .action(runEmbed);
addSweep(program);
program
  .command("profile")
  .description("what every thread does under a load, where a command's time goes, and what bounds throughput")
  .requiredOption("--out <dir>", "the folder for the profiles and their page; it is made")
  .addOption(new Option("--load <kind>", "what is called").choices(loadKinds).default("propose"))
  .option(
    "--clients <n>",
    "calls under way at once (4096; of many commands each, 16)",
    integerBetween(optionLimits.clients.min, optionLimits.clients.max),
  )
  .option(
    "--batch <n>",
    "commands per Accept; they follow the load when left out",
    integerBetween(optionLimits.batch.min, optionLimits.batch.max),
  )
  .addOption(whole("pipeline", "Accepts under way"))
  .addOption(acceptors)
  .addOption(learners)
  .addOption(threads().default("isolated"))
  .addOption(new Option("--mailbox <kind>", "what frames travel in").choices(mailboxKinds).default("ring"))
  .addOption(payload)
  .addOption(seconds("seconds under the profilers", profileLimits.seconds))
  .option("--allocations", "also who allocates how much, as .heapprofile files; costs time", false)
  .option("--force", "overwrite files that this command did not write", false)
  .action(profileThreads);
program
  .command("trace")
  .description("sequence charts of what a real run sends")
  .addOption(new Option("--protocol <name>").choices(["basic-paxos", "multi-paxos", "both"]).default("both"))
  .option(
    "--commands <n>",
    "commands for Multi-Paxos, one after the other, then as many in one batch",
    integerBetween(traceLimits.commands.min, traceLimits.commands.max),
    traceLimits.commands.default,
  )
  .option("--distinguished-learner", "acceptors tell one learner, which tells the others", false)
  .option("--digest", "the leader sends values to the learners, and acceptors send hashes", false)
  .addOption(acceptors)
  .addOption(learners)
  .addOption(new Option("--json <file>", "write the recorded frames to a file").argParser(writableFile))
  .action((options: TraceOptions) => runTrace(options));
program.addCommand(liveCommand().copyInheritedSettings(program));
program.addCommand(compareCommand().copyInheritedSettings(program));
program.addCommand(microCommand().copyInheritedSettings(program));

program
  .command("report")
  .description("draws the results of sweeps: one page of HTML that needs nothing else")
  .argument("<files...>", "results of synod-bench sweep; two are compared")
  .requiredOption("--out <file>", "where the page goes")
  .action(runReport);
// Not passed on to the commands, which refuse what they cannot mean.
program.allowExcessArguments();

/** A word that is no command would measure all rows, for minutes. */
function runRowsOnly(options: BenchOptions, rows: Command): Promise<void> {
  const [word] = rows.args;
  if (word === undefined) return runRows(options);
  const names = rows.commands.map(command => command.name()).join(", ");
  return rows.error(
    `error: there is no command ${word}; leave it out to measure the rows, or give one of ${names}`,
  );
}

async function runRows(options: BenchOptions): Promise<void> {
  const [main, ...others] = groupsOf(
    experiments.filter(({ id }) => options.only?.includes(id) ?? true),
    options,
  );
  const { result: report, conditions } = await withProgress(async onStep => {
    const all = [main, ...others].reduce((sum, group) => sum + stepsOf(group.experiments), 0);
    let before = 0;
    const measured = async (group: Group): Promise<MeasuredGroup> => {
      const measurements = await measure(group.experiments, group.options, (done, _, what) =>
        onStep(before + done, all, what),
      );
      before += stepsOf(group.experiments);
      return { options: group.options, measurements };
    };
    const first = await measured(main);
    const rest: MeasuredGroup[] = [];
    for (const group of others) rest.push(await measured(group));
    return reportOf([first, ...rest]);
  });
  console.log(renderTable(report.rows));
  if (report.comparisons.length > 0) console.log(`\n${renderComparisons(report.comparisons)}`);
  if (report.noise !== null) console.log(`\n${renderNoise(report.noise)}`);
  if (options.json !== undefined) await writeJson(options.json, conditions, report);
}

async function runAdaptive(options: AdaptiveOptions): Promise<void> {
  const { result: rows, conditions } = await withProgress(onStep => measureAdaptive(options, onStep));
  console.log(renderAdaptive(rows));
  if (options.json === undefined) return;
  await writeJson(options.json, conditions, { options, rows });
}

async function runBulk(options: BulkOptions): Promise<void> {
  const { result: rows, conditions } = await withProgress(onStep => measureBulk(options, onStep));
  console.log(renderBulk(rows));
  if (options.json === undefined) return;
  await writeJson(options.json, conditions, { options, rows });
}

async function runFootprint(options: FootprintOptions): Promise<void> {
  const { result: rows, conditions } = await withProgress(onStep => measureFootprint(options, onStep));
  console.log(renderFootprint(rows));
  if (options.json === undefined) return;
  await writeJson(options.json, conditions, { options, rows });
}

async function runEmbed(options: EmbedOptions): Promise<void> {
  const { result: figures, conditions } = await withProgress(onStep => measureEmbedding(options, onStep));
  console.log(renderEmbedding(figures));
  if (options.json === undefined) return;
  await writeJson(options.json, conditions, { options, ...figures });
}

async function runReport(files: readonly string[], { out }: { readonly out: string }): Promise<void> {
  // Only this command pays for loading what draws.
  const { writeReport } = await import("./sweep-report/run.js");
  await writeReport(files, out);
  console.log(`written to ${out}`);
}

async function profileThreads(options: ProfileOptions): Promise<void> {
  const ending = new AbortController();
  atInterrupt(() => {
    console.error("ending early; once more to stop at once");
    ending.abort();
  });
  let done = 0;
  const { result: text } = await withProgress(onStep =>
    runProfile(options, {
      signal: ending.signal,
      onStep: what => onStep(++done, profileSteps, what),
    }),
  );
  console.log(text);
  if (ending.signal.aborted) process.exitCode = 130;
}

async function writeJson(file: string, conditions: Conditions, value: object): Promise<void> {
  await writeFile(file, `${JSON.stringify({ ...conditions, ...value }, null, 2)}\n`);
}

/** Options of the rows mean nothing to a command: told apart by their place, they must not be lost in silence. */
function refuseOptionsBeforeCommand(rows: Command, command: Command): void {
  const given = rows.options.find(option => rows.getOptionValueSource(option.attributeName()) === "cli");
  if (given !== undefined) command.error(`error: write ${given.long} after ${command.name()}, not before it`);
}

endWhenTold();
try {
  await program.parseAsync();
} catch (error) {
  if (isEnding()) await new Promise(() => undefined);
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
