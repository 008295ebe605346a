import { type Conditions, watchConditions } from "../results/conditions.js";
import { analyse, type ProfileReport } from "./analyse.js";
import { profileLimits } from "./limits.js";
import { type Files, OutputFolder } from "./output.js";
import { renderPage } from "./page.js";
import { type Recording, record } from "./record.js";
import { measureStageCost, type StageCost } from "./stage-cost.js";
import { type SubjectOptions, startSubject } from "./subject.js";
import { renderProfile } from "./text.js";

export interface ProfileOptions extends SubjectOptions {
  /** The folder that everything is written to. */
  readonly out: string;
  readonly seconds: number;
  /** Also who allocates how much. */
  readonly allocations: boolean;
  /** Overwrites files that an earlier run has not written. */
  readonly force: boolean;
}

export interface ProfileRun {
  /** Ends the run early; what was recorded until then is written. */
  readonly signal: AbortSignal;
  readonly onStep: (what: string) => void;
}

/** How many steps {@link runProfile} will report. */
export const profileSteps = 3;

/** Profiles a cluster under load, and writes the profiles, their page and the figures. Returns what to print. */
export async function runProfile(options: ProfileOptions, { signal, onStep }: ProfileRun): Promise<string> {
  const folder = new OutputFolder(options.out, options.force);
  await folder.prepare(["index.html", "profile.json"]);
  onStep("starting a cluster");
  const readConditions = watchConditions();
  const recording = await recordingOf(options, signal, onStep);
  const conditions = readConditions();
  const report = analyse(recording);
  onStep("what the time stamps cost");
  const cost = signal.aborted ? undefined : await costOf(options, signal);
  const files = filesOf(recording, report, cost, titleOf(options));
  await folder.write(files, figuresOf(options, report, cost, conditions));
  return `${renderProfile(report, cost)}\n\nOpen ${options.out}/index.html, or a .cpuprofile in DevTools or speedscope.`;
}

async function recordingOf(
  options: ProfileOptions,
  signal: AbortSignal,
  onStep: (what: string) => void,
): Promise<Recording> {
  const subject = await startSubject(options, true);
  try {
    onStep(`${options.seconds} s under the profilers`);
    const { seconds, allocations } = options;
    return await record(subject, { seconds, allocations, signal, warmUpMs: profileLimits.warmUpMs });
  } finally {
    await subject.cluster.close();
  }
}

/** Of two clusters that nothing was recorded of. */
async function costOf(options: ProfileOptions, signal: AbortSignal): Promise<StageCost | undefined> {
  const timed = await startSubject(options, true);
  try {
    const plain = await startSubject(options, false);
    try {
      return await measureStageCost(timed, plain, { seconds: options.seconds, signal });
    } finally {
      await plain.cluster.close();
    }
  } finally {
    await timed.cluster.close();
  }
}

/** Profiles by thread, and the page. */
function filesOf(
  recording: Pick<Recording, "threads">,
  report: ProfileReport,
  cost: StageCost | undefined,
  title: string,
): Files {
  const files = new Map<string, string>();
  const profiles = new Map<string, string[]>();
  for (const { thread, profile } of recording.threads) {
    const names = [`${thread}.cpuprofile`];
    files.set(`${thread}.cpuprofile`, profile.cpu);
    if (profile.allocations !== undefined) {
      names.push(`${thread}.heapprofile`);
      files.set(`${thread}.heapprofile`, profile.allocations);
    }
    profiles.set(thread, names);
  }
  files.set("index.html", renderPage(report, cost, { title, profiles }));
  return files;
}

/** Flame graphs are in the page, and can be made again from the profiles. */
function figuresOf(
  { out: _, ...options }: ProfileOptions,
  report: ProfileReport,
  cost: StageCost | undefined,
  conditions: Conditions,
): object {
  const threads = report.threads.map(({ flame: __, ...thread }) => thread);
  return { ...conditions, options, ...report, threads, stageCost: cost ?? null };
}

function titleOf(options: ProfileOptions): string {
  const { load, clients, threads, mailbox, acceptors, learners } = options;
  const calls = clients === undefined ? "" : `, ${clients} calls at a time`;
  return `Synod under ${load}${calls}: ${acceptors} acceptors, ${learners} learners, threads ${threads}, mailbox ${mailbox}`;
}
