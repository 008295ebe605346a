import { availableParallelism, cpus } from "node:os";
import type { ClusterMetrics, Inspection } from "@synod/runtime";
import { type ProfiledThread, supervisorOf, ThreadProfiler, watchStages } from "@synod/runtime/internal";
import { profileLimits } from "./limits.js";
import { type LoadFigures, SteadyLoad } from "./load.js";
import { StageRecorder, type StageReport } from "./stage-times.js";
import type { Subject } from "./subject.js";

/** How a thread is woken, and what it finds then. */
export interface Wakes {
  readonly wakeUps: number;
  readonly frames: number;
}

/** Everything that was seen of a load while the profilers ran. */
export interface Recording {
  readonly seconds: number;
  readonly threads: readonly ProfiledThread[];
  /** By actor, and by the client's name. */
  readonly wakes: ReadonlyMap<string, Wakes>;
  readonly load: LoadFigures;
  readonly stages: StageReport;
  /** Calls that were under way at once. */
  readonly callers: number;
  readonly cores: number;
  readonly idleShare: number;
  readonly processCores: number;
}

export interface RecordOptions {
  readonly seconds: number;
  readonly warmUpMs: number;
  readonly allocations: boolean;
  /** Ends it early; what was recorded until then counts. */
  readonly signal: AbortSignal;
}

/** The thread that runs the load: this one. */
export const clientThread = "client";

/** The profilers of all threads of a cluster, and of this one, which is the client's. */
class Profilers {
  readonly #own = new ThreadProfiler();
  #supervisor: ReturnType<typeof supervisorOf> | undefined;

  async start(
    cluster: Subject["cluster"],
    { allocations }: { readonly allocations: boolean },
  ): Promise<void> {
    const { cpuIntervalUs, allocationIntervalBytes } = profileLimits;
    const request = { cpuIntervalUs, ...(allocations ? { allocationIntervalBytes } : {}) };
    this.#supervisor = supervisorOf(cluster);
    await this.#supervisor.startProfiles(request);
    this.#own.start(request);
  }

  async mark(): Promise<void> {
    await this.#supervisor?.markProfiles();
    this.#own.mark();
  }

  /** Its own first: it would show how the others are asked. */
  async stop(client: string): Promise<ProfiledThread[]> {
    const profile = this.#own.stop();
    const own = profile === undefined ? [] : [{ thread: clientThread, actors: [client], profile }];
    return [...own, ...((await this.#supervisor?.stopProfiles()) ?? [])];
  }
}

/** Loads a cluster that times stages, and records what all its threads do. @throws what a call has thrown */
export async function record(subject: Subject, options: RecordOptions): Promise<Recording> {
  const profilers = new Profilers();
  // Before the warm-up: see ThreadProfiler.start.
  await profilers.start(subject.cluster, options);
  const load = new SteadyLoad(subject.load);
  try {
    await load.run(options.warmUpMs, options.signal);
    const recorded = await recordLoad(subject, load, profilers, options);
    return { ...recorded, callers: subject.load.callers };
  } finally {
    await load.stop();
  }
}

async function recordLoad(
  { cluster, client }: Subject,
  load: SteadyLoad,
  profilers: Profilers,
  { seconds, signal }: RecordOptions,
): Promise<Omit<Recording, "callers">> {
  const stages = new StageRecorder();
  const before = await cluster.metrics();
  const answersBefore = answersOf(await cluster.inspect());
  const { wakeUps: wakeUpsBefore } = client.metrics();
  await profilers.mark();
  watchStages(client, stages.add);
  load.restart();
  const machine = machineTimes();
  const cpu = process.cpuUsage();
  const sinceMs = performance.now();
  await load.run(seconds * 1000, signal);
  const ms = performance.now() - sinceMs;
  const { user, system } = process.cpuUsage(cpu);
  const idleShare = idleSince(machine);
  const figures = load.read();
  watchStages(client, () => undefined);
  const threads = await profilers.stop(client.name);
  const wakes = wakesBetween(before, await cluster.metrics());
  wakes.set(client.name, {
    wakeUps: client.metrics().wakeUps - wakeUpsBefore,
    frames: answersOf(await cluster.inspect()) - answersBefore,
  });
  return {
    seconds: ms / 1000,
    threads,
    wakes,
    load: figures,
    stages: stages.read(),
    cores: availableParallelism(),
    idleShare,
    processCores: (user + system) / 1000 / ms,
  };
}

function wakesBetween(before: ClusterMetrics, after: ClusterMetrics): Map<string, Wakes> {
  return new Map(
    after.actors.map((actor, at) => {
      const earlier = before.actors[at];
      const wakeUps = actor.wakeUps - (earlier?.wakeUps ?? 0);
      const frames = actor.receivedFrames - (earlier?.receivedFrames ?? 0);
      return [actor.name, { wakeUps, frames }] as const;
    }),
  );
}

/** Frames with results, which go to the client: it is the only one. */
function answersOf(inspections: readonly Inspection[]): number {
  return inspections.reduce((sum, { sent }) => sum + sent.response.frames, 0);
}

/** Milliseconds of all cores together. */
function machineTimes(): { readonly idleMs: number; readonly allMs: number } {
  const times = cpus().map(core => core.times);
  const idleMs = times.reduce((sum, { idle }) => sum + idle, 0);
  const allMs = times.reduce(
    (sum, { idle, user, sys, nice, irq }) => sum + idle + user + sys + nice + irq,
    0,
  );
  return { idleMs, allMs };
}

/** Some machines do not tell: then all of it counts as idle, and nothing is said of full cores. */
function idleSince(before: ReturnType<typeof machineTimes>): number {
  const now = machineTimes();
  const allMs = now.allMs - before.allMs;
  return allMs <= 0 ? 1 : (now.idleMs - before.idleMs) / allMs;
}
