import { extname } from "node:path";
import { type Command, Option } from "commander";
import { atInterrupt } from "../ending.js";
import { integerBetween, optionLimits, secondsBetween, threadsModes } from "../options.js";
import type { Settings } from "../results/format.js";
import { hostHere, loadAverageHere } from "../results/host.js";
import { busyBefore } from "../results/machine-watch.js";
import { checkCsv, writeCsv } from "./csv.js";
import { cellsOf, type Grid } from "./grid.js";
import {
  gridDefault,
  integersAsGiven,
  integersOr,
  quickBudget,
  quickDefault,
  type SweepOptions,
  sweepLimits,
  wordsAmong,
} from "./options.js";
import { SweepProgress } from "./progress.js";
import { type AskedOptions, type OpenResults, openResults } from "./result-file.js";
import { rowsOf, runSweep, type SweepEnd, type SweepHooks } from "./run.js";
import { renderSweep } from "./text.js";

/** What commander makes of the command line: what was not said is absent. */
type Given = Partial<SweepOptions> &
  Pick<SweepOptions, "quick" | "stages"> & { readonly out: string; readonly csv?: string };

/** Fresh seeds are short enough to be typed. */
const freshSeedsBelow = 1_000_000_000;

/** Adds `sweep` to the commands of the benchmark. */
export function addSweep(program: Command): void {
  const { clients, payload, acceptors, learners, pipeline } = optionLimits;
  const { batch, rate, clientThreads, repeats, seconds, seed } = sweepLimits;
  const list = (flag: string, what: string, parse: (text: string) => readonly unknown[]): Option =>
    new Option(`--${flag} <list>`, what).argParser(parse);
  program
    .command("sweep")
    .description(
      "a row for everything combined with everything; finds the best batch and pipeline for this host",
    )
    .requiredOption(
      "--out <file>",
      "JSON Lines (.jsonl), and the same as .csv beside it; goes on where it ended",
    )
    .option("--csv <file>", "another name for the CSV file")
    .addOption(list("clients", "closed-loop clients", integersAsGiven(clients.min, clients.max)))
    .addOption(list("rate", "commands per second of an open loop", integersAsGiven(rate.min, rate.max)))
    .addOption(
      list("batch", "commands per Accept, or adaptive", integersOr(batch.min, batch.max, "adaptive")),
    )
    .addOption(
      list("pipeline", "Accepts under way, or adaptive", integersOr(pipeline.min, pipeline.max, "adaptive")),
    )
    .addOption(list("payload", "bytes of a command", integersAsGiven(payload.min, payload.max)))
    .addOption(list("acceptors", "acceptors", integersAsGiven(acceptors.min, acceptors.max)))
    .addOption(list("learners", "learners", integersAsGiven(learners.min, learners.max)))
    .addOption(list("mailbox", "ring, port", wordsAmong(["ring", "port"] as const)))
    .addOption(list("threads", threadsModes.join(), wordsAmong(threadsModes)))
    .addOption(
      list(
        "client-threads",
        "threads for the clients; 0: the main thread",
        integersAsGiven(clientThreads.min, clientThreads.max),
      ),
    )
    .option("--repeats <n>", "rounds over all cells (3)", integerBetween(repeats.min, repeats.max))
    .option("--seconds <s>", "measured seconds per row (2)", secondsBetween(seconds.min, seconds.max))
    .option(
      "--seed <n>",
      "what the order is drawn from; fresh when left out",
      integerBetween(seed.min, seed.max),
    )
    .option("--stages", "also where a command's time goes, which costs a little of it", false)
    .option("--quick", "a small grid, all within two minutes", false)
    .action((given: Given, command: Command) => sweep(given, command));
}

async function sweep(given: Given, command: Command): Promise<void> {
  const startedAt = performance.now();
  const asked = optionsOf(given);
  const { cells, leftOut } = cellsOf(asked);
  for (const reason of leftOut) console.error(reason);
  if (cells.length === 0) command.error("error: nothing is left to measure");
  const total = rowsOf(cells, asked);
  if (total > sweepLimits.rows) {
    command.error(`error: ${total} rows are too many: ${sweepLimits.rows} at most`);
  }
  const files = filesOf(given, command);
  await checkCsv(files.csv);
  const results = await openResults(files.out, asked, Date.now() % freshSeedsBelow);
  try {
    for (const warning of results.warnings) console.error(`warning: ${warning}`);
    const there = results.isResumed ? `; ${results.rows.length} rows are there already` : "";
    console.error(`seed ${results.seed}${there}`);
    const isOver = results.isComplete;
    const end = isOver ? "complete" : await measureRest(cells, asked, results, startedAt);
    await writeCsv(files.csv, results.rows);
    console.log(renderSweep(results.rows));
    console.error(closing(end, isOver, files));
    if (end === "interrupted") process.exitCode = 130;
  } finally {
    await results.close();
  }
}

async function measureRest(
  cells: readonly Settings[],
  asked: AskedOptions,
  results: OpenResults,
  startedAt: number,
): Promise<SweepEnd> {
  const busy = busyBefore(loadAverageHere(), hostHere().cores);
  if (busy !== null) console.error(`warning: ${busy}`);
  const progress = new SweepProgress(results.rows.length, rowsOf(cells, asked));
  const hooks = hooksOf(asked.quick, startedAt, progress);
  try {
    const end = await runSweep(cells, { ...asked, seed: results.seed }, results, hooks);
    if (end !== "interrupted") await results.end();
    return end;
  } finally {
    progress.stop();
  }
}

/** What was said, else what `--quick` has, else the defaults. */
function optionsOf({ out: _, csv: __, ...given }: Given) {
  const preset: Partial<SweepOptions> = given.quick ? quickDefault : {};
  const { repeats, seconds } = sweepLimits;
  const fallback = { ...gridDefault, repeats: repeats.default, seconds: seconds.default, ...preset };
  // Rates alone are an open loop alone.
  const clients = given.clients ?? (given.rate === undefined ? fallback.clients : []);
  const grid = { ...fallback, ...given, clients } satisfies Grid;
  return { ...grid, seed: given.seed };
}

/** Both files' names, from one of them. */
function filesOf({ out, csv }: Given, command: Command): { out: string; csv: string } {
  const ending = extname(out);
  if (ending !== ".jsonl" && ending !== ".csv") {
    command.error(`error: --out ${out} must end with .jsonl (or .csv: both are written)`);
  }
  const stem = out.slice(0, -ending.length);
  const files = { out: `${stem}.jsonl`, csv: csv ?? `${stem}.csv` };
  if (files.out === files.csv) command.error(`error: --csv ${csv} is the file of the results themselves`);
  return files;
}

/** Ctrl-C ends the run after the row that is being measured; once more, at once. */
function hooksOf(isQuick: boolean, startedAt: number, progress: SweepProgress): SweepHooks {
  let isEnding = false;
  atInterrupt(() => {
    isEnding = true;
    console.error("ending after this row; once more to stop at once, without it");
  });
  return {
    onRow: (done, total, what) => progress.row(done, total, what),
    isEnding: () => isEnding,
    isLate: stage => {
      const budgetMs = stage === "grid" ? quickBudget.gridMs : quickBudget.allMs;
      return isQuick && performance.now() - startedAt > budgetMs;
    },
  };
}

function closing(end: SweepEnd, wasComplete: boolean, { out, csv }: { out: string; csv: string }): string {
  const files = `${out} and ${csv}`;
  if (wasComplete) return `${out} was complete already: name another file to measure again`;
  switch (end) {
    case "interrupted":
      return `ended early; what was measured is in ${files}. The same command goes on from there`;
    case "late":
      return `time was up before all repeats were measured; what was is in ${files}`;
    case "complete":
      return `written to ${files}`;
  }
}
