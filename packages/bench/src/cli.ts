#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { SingleBar } from "cli-progress";
import { Command, Option } from "commander";
import { experiments } from "./experiments/index.js";
import { runMailbox } from "./experiments/mailbox.js";
import { runTrace, type TraceOptions } from "./experiments/trace.js";
import { measure, type OnStep } from "./measure.js";
import {
  type BenchOptions,
  idsAmong,
  integerBetween,
  optionLimits,
  secondsBetween,
  traceLimits,
} from "./options.js";
import { reportOf } from "./report.js";
import { renderTable } from "./table.js";

const ids = experiments.map(({ id }) => id);
const program = new Command("synod-bench").description("Measures what each idea of Multi-Paxos buys.");
for (const [name, what] of [
  ["clients", "closed-loop clients"],
  ["batch", "commands per Accept, at most a quarter of the clients"],
  ["pipeline", "Accepts under way"],
  ["acceptors", "acceptors"],
  ["learners", "learners"],
  ["payload", "bytes that each command carries besides"],
] as const) {
  const { min, max, default: value } = optionLimits[name];
  program.option(`--${name} <n>`, what, integerBetween(min, max), value);
}
const parseSeconds = secondsBetween(optionLimits.seconds.min, optionLimits.seconds.max);
program
  .option("--seconds <s>", "measured seconds per row", parseSeconds, optionLimits.seconds.default)
  .option("--only <ids>", `rows to run: ${ids.join(",")}`, idsAmong(ids))
  .option("--json <file>", "write everything that was measured to a file")
  .action(runRows);
program
  .command("mailbox")
  .description("ring against MessagePort between two threads")
  .action(() => runMailbox({ seconds: program.opts<BenchOptions>().seconds }));
program
  .command("trace")
  .description("sequence charts of what a real run sends; also takes --acceptors, --learners and --json")
  .addOption(new Option("--protocol <name>").choices(["basic-paxos", "multi-paxos", "both"]).default("both"))
  .option(
    "--commands <n>",
    "commands for Multi-Paxos, one after the other, then as many in one batch",
    integerBetween(traceLimits.commands.min, traceLimits.commands.max),
    traceLimits.commands.default,
  )
  .action((options: Pick<TraceOptions, "protocol" | "commands">) => {
    const { acceptors, learners, json } = program.opts<BenchOptions>();
    return runTrace({ ...options, acceptors, learners, json });
  });

async function runRows(options: BenchOptions): Promise<void> {
  const chosen = experiments.filter(({ id }) => options.only?.includes(id) ?? true);
  const { onStep, stop } = progress();
  try {
    const report = reportOf(await measure(chosen, options, onStep), options);
    stop();
    console.log(renderTable(report.rows));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    stop();
  }
}

/** A bar on a terminal, a line per step elsewhere; both on stderr. */
function progress(): { readonly onStep: OnStep; readonly stop: () => void } {
  if (!process.stderr.isTTY) {
    return { onStep: (done, total, what) => console.error(`[${done}/${total}] ${what}`), stop: () => {} };
  }
  const bar = new SingleBar({ format: "{bar} {value}/{total} {what}", clearOnComplete: true });
  bar.start(1, 0, { what: "starting" });
  return {
    onStep: (done, total, what) => {
      bar.setTotal(total);
      bar.update(done, { what });
    },
    stop: () => bar.stop(),
  };
}

/** npm that is told to end leaves its child running: the child sees that its parent has changed. */
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(143);
}, 500).unref();
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  await program.parseAsync();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
