import { verdictLimits } from "./limits.js";
import type { Owner } from "./source-places.js";
import type { StageReport } from "./stage-times.js";

/** The function in which a thread spends most, and the line of it. */
export interface Hottest {
  readonly name: string;
  /** File and line. */
  readonly place: string;
  readonly owner: Owner;
  /** Of the thread's busy time, from 0 to 1. */
  readonly share: number;
}

/** What the rules look at of one thread. Shares are of the time that was measured, from 0 to 1. */
export interface ThreadEvidence {
  readonly name: string;
  readonly role: "client" | "proposer" | "acceptor" | "learner" | "several";
  readonly busy: number;
  /** On a core, and ready for one without it; null where the machine does not tell. */
  readonly onCore: number | null;
  readonly withoutCore: number | null;
  readonly hottest: Hottest | undefined;
}

export interface Evidence {
  readonly threads: readonly ThreadEvidence[];
  /** Calls that were under way at once. */
  readonly callers: number;
  readonly cores: number;
  /** Cores that were idle, all together as a share of all, from 0 to 1. */
  readonly idleShare: number;
  /** Cores that this process took, all its threads. */
  readonly processCores: number;
  readonly stages: StageReport;
  /** While the profilers ran. */
  readonly commits: number;
}

/** What bounds throughput, and a sentence with the evidence. */
export interface Verdict {
  readonly bound: "thread" | "cores" | "latency" | "unknown";
  /** The threads that bound it. */
  readonly threads: readonly string[];
  readonly text: string;
}

/** The rules, in their order: a thread that hardly waits; cores that are all taken; otherwise, waiting itself. */
export function verdictOf(evidence: Evidence): Verdict {
  if (evidence.commits === 0) return nothingSeen;
  const [busiest] = [...evidence.threads].sort((a, b) => b.busy - a.busy);
  if (busiest !== undefined && busiest.busy >= verdictLimits.busy) return threadBound(busiest, evidence);
  const isFull = evidence.idleShare < verdictLimits.idle;
  const isOwn = evidence.processCores >= verdictLimits.ownShare * evidence.cores;
  // One call at a time waits for each step of it, however many cores there are.
  if (isFull && isOwn && evidence.callers > 1) return coresBound(evidence);
  return latencyBound(busiest, evidence);
}

/** Interrupted too early, or a cluster that stands still: whatever threads did then, it was not this. */
const nothingSeen: Verdict = {
  bound: "unknown",
  threads: [],
  text: "Nothing was committed while the profilers ran, so there is no telling what bounds throughput: let it run for longer.",
};

function threadBound(busiest: ThreadEvidence, evidence: Evidence): Verdict {
  const likewise = evidence.threads.filter(
    ({ role, busy, name }) =>
      role === busiest.role &&
      role !== "client" &&
      name !== busiest.name &&
      busiest.busy - busy < verdictLimits.likewise,
  );
  const others = likewise.length === 0 ? "" : ` (so ${isOrAre(likewise)} ${listOf(likewise.map(nameOf))})`;
  const text =
    `Throughput is bound by ${nameOf(busiest)}, which is busy ${percent(busiest.busy)} of the time${others}` +
    `${hottestOf(busiest)}.${withoutCoreOf(evidence)}`;
  return { bound: "thread", threads: [busiest, ...likewise].map(({ name }) => name), text };
}

function coresBound(evidence: Evidence): Verdict {
  const { threads, cores, processCores } = evidence;
  const weight = (thread: ThreadEvidence) => thread.onCore ?? thread.busy;
  const [largest] = [...threads].sort((a, b) => weight(b) - weight(a));
  const taken = threads.reduce((sum, thread) => sum + weight(thread), 0);
  const most =
    largest === undefined || taken === 0
      ? ""
      : ` The most of it, ${percent(weight(largest) / taken)}, goes to ${nameOf(largest)}${hottestOf(largest)}.`;
  const text =
    `Throughput is bound by the ${cores} cores of this machine, which are all busy: this process takes ` +
    `${processCores.toFixed(1)} of them, and no thread is busy all the time.${most}${withoutCoreOf(evidence)}`;
  return { bound: "cores", threads: largest === undefined ? [] : [largest.name], text };
}

function latencyBound(busiest: ThreadEvidence | undefined, evidence: Evidence): Verdict {
  const { whole, stages, samples } = evidence.stages;
  const busy =
    busiest === undefined ? "" : `; ${nameOf(busiest)} is the busiest, ${percent(busiest.busy)} of the time`;
  const nobody = `Nobody is busy${busy}.`;
  if (samples === 0) {
    const text = `${nobody} No command was timed from end to end, so there is no telling what they wait for.`;
    return { bound: "latency", threads: [], text };
  }
  const hops = stages.filter(({ kind }) => kind === "hop");
  const hopsMs = hops.reduce((sum, { meanMs }) => sum + meanMs, 0);
  const longest = stages.reduce((most, stage) => (stage.meanMs > most.meanMs ? stage : most));
  const what = longest.kind === "hop" ? "the longest is" : "but the longest stage is";
  const text =
    `${nobody} One commit takes ${micros(whole.meanMs)} and waits ${percent(hopsMs / whole.meanMs)} of that for ` +
    `${hops.length} hops between threads; ${what} ${longest.name}, ${micros(longest.meanMs)}.${withoutCoreOf(evidence)}`;
  return { bound: "latency", threads: [], text };
}

/** Where the thread spends most of its time, as the end of a sentence. */
function hottestOf({ role, hottest }: ThreadEvidence): string {
  if (hottest === undefined) return "";
  const { name, place, owner, share } = hottest;
  const called = name === "" ? "a function without a name" : `${name}()`;
  return `, ${percent(share)} of that in ${called}${whose(owner, role)} at ${place}`;
}

function whose(owner: Owner, role: ThreadEvidence["role"]): string {
  if (owner === "synod") return " of Synod";
  if (owner !== "program") return ` of the ${owner}`;
  if (role === "client") return " of your program";
  return role === "learner" ? " of your state machine" : " of your code";
}

/** Threads with something to do that no core was free for say something of the machine, not of the program. */
function withoutCoreOf({ threads }: Evidence): string {
  const sum = (of: (thread: ThreadEvidence) => number | null) =>
    threads.reduce((all, thread) => all + (of(thread) ?? 0), 0);
  const without = sum(thread => thread.withoutCore);
  const ready = without + sum(thread => thread.onCore);
  if (ready === 0 || without / ready < verdictLimits.withoutCore) return "";
  return ` Of the time in which threads had something to do they had no core for ${percent(without / ready)}: more cores, or an idle machine, would show other figures.`;
}

const nameOf = ({ name, role }: ThreadEvidence): string => (role === "client" ? "the client's thread" : name);
const isOrAre = (threads: readonly unknown[]): string => (threads.length === 1 ? "is" : "are");
const listOf = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const micros = (ms: number): string =>
  ms < 10 ? `${Math.round(ms * 1000).toLocaleString("en")} us` : `${ms.toFixed(1)} ms`;
