import type { HeapProfiler, Profiler } from "node:inspector";
import type { ProfiledThread } from "@synod/runtime/internal";
import { allocationsOf } from "./allocations.js";
import { CpuProfile, type CpuTime, type Flame, type RawPlace } from "./cpu-profile.js";
import { profileLimits } from "./limits.js";
import { clientThread, type Recording, type Wakes } from "./record.js";
import { type Owner, SourcePlaces } from "./source-places.js";
import { type Hottest, type ThreadEvidence, type Verdict, verdictOf } from "./verdict.js";

/** Own time of one line of our packages, or of the program that is measured. */
interface LineTime {
  /** File and line. */
  readonly place: string;
  readonly owner: Owner;
  readonly functionName: string;
  /** Of the time of its thread, from 0 to 1. */
  readonly share: number;
}

interface AllocationLine {
  readonly place: string;
  readonly functionName: string;
  readonly bytes: number;
  /** Of all that its thread has allocated, from 0 to 1. */
  readonly share: number;
}

/** What is shown of a thread. Shares are of the time that was measured, from 0 to 1. */
export interface ThreadReport {
  readonly thread: string;
  readonly actors: readonly string[];
  readonly busyShare: number;
  readonly parkedShare: number;
  readonly garbageShare: number;
  readonly programShare: number;
  /** On a core, and ready for one without it, by the machine's own clock; null where it does not tell. */
  readonly onCoreShare: number | null;
  readonly withoutCoreShare: number | null;
  readonly wakeUpsPerSecond: number;
  /** Null when it was never woken. */
  readonly framesPerWakeUp: number | null;
  readonly lines: readonly LineTime[];
  readonly allocations?: readonly AllocationLine[];
  readonly flame: Flame;
}

export interface ProfileReport extends Omit<Recording, "threads" | "wakes"> {
  readonly threads: readonly ThreadReport[];
  readonly verdict: Verdict;
}

/** Makes sense of a recording: shares, lines in the sources, and what bounds throughput. */
export function analyse({ threads, wakes, ...recording }: Recording): ProfileReport {
  const places = new SourcePlaces();
  const analysed = threads.map(thread => analyseThread(thread, wakes, recording.seconds, places));
  const { commits } = recording.load;
  const verdict = verdictOf({ ...recording, commits, threads: analysed.map(({ evidence }) => evidence) });
  return { ...recording, threads: analysed.map(({ report }) => report), verdict };
}

function analyseThread(
  { thread, actors, profile }: ProfiledThread,
  wakes: ReadonlyMap<string, Wakes>,
  seconds: number,
  places: SourcePlaces,
): { report: ThreadReport; evidence: ThreadEvidence } {
  const cpu = new CpuProfile(JSON.parse(profile.cpu) as Profiler.Profile, places.isWaiting);
  const time = cpu.time();
  const share = (ms: number) => (time.totalMs === 0 ? 0 : ms / time.totalMs);
  const onCoreShare = profile.clock && profile.clock.runMs / profile.wallMs;
  const withoutCoreShare = profile.clock && profile.clock.waitMs / profile.wallMs;
  const woken = actors.map(actor => wakes.get(actor) ?? { wakeUps: 0, frames: 0 });
  const wakeUps = woken.reduce((sum, each) => sum + each.wakeUps, 0);
  const frames = woken.reduce((sum, each) => sum + each.frames, 0);
  const report: ThreadReport = {
    thread,
    actors,
    busyShare: share(time.busyMs),
    parkedShare: share(time.parkedMs),
    garbageShare: share(time.garbageMs),
    programShare: share(time.programMs),
    onCoreShare,
    withoutCoreShare,
    wakeUpsPerSecond: wakeUps / seconds,
    framesPerWakeUp: wakeUps === 0 ? null : frames / wakeUps,
    lines: linesOf(time, places),
    ...(profile.allocations === undefined
      ? {}
      : { allocations: allocationLines(JSON.parse(profile.allocations), places) }),
    flame: cpu.flame((name, at) => frameOf(name, at, places), profileLimits.drawnShare),
  };
  const evidence: ThreadEvidence = {
    name: thread,
    role: roleOf(thread, actors),
    busy: report.busyShare,
    onCore: onCoreShare,
    withoutCore: withoutCoreShare,
    hottest: hottestOf(time, places),
  };
  return { report, evidence };
}

/** Own time by line, of Synod and of the program; other packages' lines are nothing that their users can change. */
function linesOf(time: CpuTime, places: SourcePlaces): LineTime[] {
  const found = new Map<string, { owner: Owner; functionName: string; ms: number }>();
  for (const { name, at, lines } of time.functions) {
    for (const { line, ms } of lines) {
      const place = places.find({ url: at.url, line });
      if (place === undefined || place.owner.startsWith("package ")) continue;
      const entry = found.get(place.text) ?? { owner: place.owner, functionName: name, ms: 0 };
      entry.ms += ms;
      found.set(place.text, entry);
    }
  }
  return [...found]
    .map(([place, { ms, ...rest }]) => ({ place, ...rest, share: ms / time.totalMs }))
    .sort((a, b) => b.share - a.share)
    .slice(0, profileLimits.lines);
}

/** The function with the most time, and its line with the most; of one that only calls, where it begins. */
function hottestOf(time: CpuTime, places: SourcePlaces): Hottest | undefined {
  const [most] = time.functions;
  if (most === undefined || time.busyMs === 0) return undefined;
  const line = [...most.lines].sort((a, b) => b.ms - a.ms)[0]?.line;
  const place = places.find(line === undefined ? most.at : { url: most.at.url, line });
  if (place === undefined) return undefined;
  return { name: most.name, place: place.text, owner: place.owner, share: most.ms / time.busyMs };
}

function allocationLines(profile: HeapProfiler.SamplingHeapProfile, places: SourcePlaces): AllocationLine[] {
  const functions = allocationsOf(profile);
  const all = functions.reduce((sum, { bytes }) => sum + bytes, 0);
  return functions.slice(0, profileLimits.lines).map(({ name, at, bytes }) => ({
    place: places.textOf(at),
    functionName: name,
    bytes,
    share: bytes / all,
  }));
}

function frameOf(name: string, at: RawPlace, places: SourcePlaces): Pick<Flame, "name" | "kind"> {
  if (name === "(garbage collector)") return { name, kind: "garbage" };
  const called = name === "" ? "(anonymous)" : name;
  const found = places.find(at);
  if (found === undefined) return { name: at.url === "" ? called : `${called} ${at.url}`, kind: "node" };
  const { owner, text } = found;
  return { name: `${called} ${text}`, kind: owner === "synod" || owner === "program" ? owner : "package" };
}

function roleOf(thread: string, actors: readonly string[]): ThreadEvidence["role"] {
  if (thread === clientThread) return "client";
  const [first, ...others] = actors;
  if (first === undefined || others.length > 0) return "several";
  return (
    (["proposer", "acceptor", "learner"] as const).find(role => first.startsWith(`${role}-`)) ?? "several"
  );
}
