import type { Profiler, Session } from "node:inspector";
import { performance } from "node:perf_hooks";
import { readThreadClock, type ThreadClock } from "./thread-clock.js";

/** What is to be recorded of a thread. */
export interface ProfileRequest {
  /** Microseconds between two looks at the stack. */
  readonly cpuIntervalUs: number;
  /** Bytes allocated, on average, between two looks at who allocates; left out, allocations are not recorded. */
  readonly allocationIntervalBytes?: number;
}

/** What was recorded of a thread. */
export interface ThreadProfile {
  /** A CPU profile, in the JSON of a `.cpuprofile`. */
  readonly cpu: string;
  /** What was allocated, freed or not, in the JSON of a `.heapprofile`. */
  readonly allocations?: string;
  readonly wallMs: number;
  readonly clock: ThreadClock | null;
}

/** Records profiles of the thread that it is made on, and of no other. */
export class ThreadProfiler {
  #session: Session | undefined;
  #request: ProfileRequest | undefined;
  #startedMs = 0;
  #markedMs = 0;
  #clock: ThreadClock | null = null;

  /**
   * Begins to look at the stack, and has all code optimized anew: load the thread for a while before {@link mark}.
   * What was recorded before is thrown away.
   *
   * @throws Error when this Node.js was built without the inspector
   */
  start(request: ProfileRequest): void {
    this.#session?.disconnect();
    // Asked for here: no other thread is to pay for loading it.
    const inspector = process.getBuiltinModule("node:inspector") as
      | typeof import("node:inspector")
      | undefined;
    if (inspector === undefined) throw new Error("this Node.js was built without the inspector");
    const session = new inspector.Session();
    session.connect();
    this.#session = session;
    this.#request = request;
    ask(session, "Profiler.enable");
    ask(session, "Profiler.setSamplingInterval", { interval: request.cpuIntervalUs });
    ask(session, "Profiler.start");
    // A loop that was optimized while it ran is in no list of functions, and would show as the line that calls it. To
    // count calls V8 throws away whatever is optimized; what is optimized anew the profiler is told of.
    ask(session, "Profiler.startPreciseCoverage", { callCount: true });
    ask(session, "Profiler.stopPreciseCoverage");
    this.#startedMs = performance.now();
    this.#begin();
  }

  /** What is recorded from now on counts, and nothing before; call it once, if at all. */
  mark(): void {
    const session = this.#session;
    if (session === undefined) return;
    const { allocationIntervalBytes } = this.#request as ProfileRequest;
    if (allocationIntervalBytes !== undefined) {
      ask(session, "HeapProfiler.startSampling", {
        samplingInterval: allocationIntervalBytes,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
    }
    this.#begin();
  }

  /** Undefined when nothing was started. */
  stop(): ThreadProfile | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    const wallMs = performance.now() - this.#markedMs;
    const clock = clockSince(this.#clock);
    const { profile } = ask<{ profile: Profiler.Profile }>(session, "Profiler.stop");
    const cut = profileFrom(profile, profile.startTime + (this.#markedMs - this.#startedMs) * 1000);
    const allocations =
      this.#request?.allocationIntervalBytes === undefined
        ? undefined
        : ask<{ profile: object }>(session, "HeapProfiler.stopSampling").profile;
    session.disconnect();
    this.#session = undefined;
    return {
      cpu: JSON.stringify(cut),
      ...(allocations === undefined ? {} : { allocations: JSON.stringify(allocations) }),
      wallMs,
      clock,
    };
  }

  #begin(): void {
    this.#clock = readThreadClock();
    this.#markedMs = performance.now();
  }
}

/** The looks from a moment on, in microseconds of the profile's clock. How they spread over lines stays that of all. */
function profileFrom(profile: Profiler.Profile, fromUs: number): Profiler.Profile {
  const { samples = [], timeDeltas = [] } = profile;
  let atUs = profile.startTime;
  let first = 0;
  while (first < samples.length && atUs + (timeDeltas[first] ?? 0) < fromUs) atUs += timeDeltas[first++] ?? 0;
  const deltas = timeDeltas.slice(first);
  if (deltas[0] !== undefined) deltas[0] = Math.round(atUs + deltas[0] - fromUs);
  return { ...profile, startTime: Math.round(fromUs), samples: samples.slice(first), timeDeltas: deltas };
}

/** A session on its own thread answers before `post` returns. */
function ask<T extends object>(session: Session, method: string, parameters: object = {}): T {
  let answer: T | undefined;
  let failure: Error | null = null;
  session.post(method, parameters, (error: Error | null, result?: object) => {
    failure = error;
    answer = result as T;
  });
  if (failure !== null) throw failure;
  return answer as T;
}

function clockSince(before: ThreadClock | null): ThreadClock | null {
  const now = readThreadClock();
  if (now === null || before === null) return null;
  return { runMs: now.runMs - before.runMs, waitMs: now.waitMs - before.waitMs };
}
