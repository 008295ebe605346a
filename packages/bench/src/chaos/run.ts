import { addressesOf } from "@synod/core";
import { Cluster } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import { ClientThreads } from "./client-threads.js";
import { type CountResult, checkCounts } from "./count-check.js";
import type { HistoryCounts } from "./history-check.js";
import { FaultInjector } from "./injector.js";
import { bucketMs } from "./ledger.js";
import { ChaosMachine } from "./machine.js";
import { ObserverThread } from "./observer.js";
import { type ChaosOptions, chaosLimits } from "./options.js";
import { leaksSince, memoryState } from "./process-state.js";
import type { Recovery } from "./recovery.js";
import type { ChaosResult, FaultResult, MemorySample, Phase } from "./result.js";
import { type Fault, killLeaderSchedule, schedule } from "./schedule.js";
import { compareLearners, lostWakeUps, readTotals } from "./verify.js";
import { warmUp } from "./warm-up.js";

/** Before the first fault the load runs for so long, in milliseconds. */
const settleInMs = 1000;
/** After the last fault everybody is to be answered within this time, in milliseconds. */
const recoverWithinMs = 20_000;
const pollMs = 20;
const memoryEveryMs = 1000;
/** An operation gives up after so long, in milliseconds: longer than anything that a cluster gets over. */
const timeoutMs = 15_000;
/** A promise settles by its deadline; a thread that is late has so many milliseconds more. */
const settleGraceMs = 10_000;
/** Violations that are kept: the first ones tell most. */
const violationsMax = 20;
/** The keys of one generation: long enough for contention, short enough that their histories are checked at once. */
const generationMs = 500;
/** Lanes of checked operations of one client thread, and how many of all threads share a cell. */
const checkedLanes = 8;
const lanesPerCell = 8;

export interface ChaosHooks {
  /** A line about what happens, as it happens. */
  readonly onLine: (text: string) => void;
  /** Ends the run early; what was done is checked all the same. */
  readonly signal: AbortSignal;
}

/** One run: a warm-up, faults under load, then every check. Never rejects for what the run finds out. */
export async function runChaos(options: ChaosOptions, hooks: ChaosHooks): Promise<ChaosResult> {
  const before = await warmUp();
  const run = new ChaosRun(options, hooks);
  const found = await run.run();
  const { state: after, leaks } = await leaksSince(before);
  return { ...found, before, after, violations: [...found.violations, ...leaks] };
}

type Found = Omit<ChaosResult, "before" | "after">;

const nothingCounted: Omit<CountResult, "violations"> = {
  ...{ called: 0, acknowledged: 0, notApplied: 0, unknown: 0, lost: 0, duplicated: 0 },
};
const nothingChecked: HistoryCounts = {
  ...{ operations: 0, unanswered: 0, histories: 0, notLinearizable: 0, undecided: 0 },
};

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #hooks: ChaosHooks;
  /** Where the clients' pieces of time begin. */
  readonly #originMs = monotonicMs();
  /** When all clients were under load, at the start of a piece of time: all times of the result count from here. */
  #startMs = 0;
  readonly #violations: string[] = [];
  readonly #faults: (FaultResult & { readonly id: number })[] = [];
  readonly #memory: MemorySample[] = [];
  #memoryAtMs = 0;
  #loadEndedMs = 0;

  constructor(options: ChaosOptions, hooks: ChaosHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  async run(): Promise<Found> {
    const { proposers, acceptors, learners, leaseMs, threads, snapshotEvery, clientThreads } = this.#options;
    const generations = { originMs: this.#originMs, durationMs: generationMs };
    const observer = new ObserverThread(generations, this.#violation, this.#recovered);
    const cluster = await Cluster.start({
      stateMachine: ChaosMachine,
      ...{ proposers, acceptors, learners, leaseMs, threads },
      snapshot: { everyCommands: snapshotEvery },
      restarts: { max: 1000, windowMs: 60_000 },
    });
    this.#listen(cluster);
    const slots = Math.max(1, Math.floor((clientThreads * checkedLanes) / lanesPerCell));
    const clients = new ClientThreads({
      handle: cluster.handle(),
      observer,
      workload: {
        ...{ seed: this.#options.seed, inFlight: this.#options.inFlight },
        ...{ checkedLanes, slots, generations, timeoutMs },
      },
      runSeconds: chaosLimits.seconds.max,
      onViolation: this.#violation,
    });
    try {
      await Promise.all(Array.from({ length: clientThreads }, () => clients.start()));
      this.#startMs = this.#originMs + Math.ceil((monotonicMs() - this.#originMs) / bucketMs) * bucketMs;
      const names = {
        proposers: addressesOf("proposer", proposers),
        acceptors: addressesOf("acceptor", acceptors),
        learners: addressesOf("learner", learners),
        sparedAcceptors: acceptors - (Math.floor(acceptors / 2) + 1),
      };
      const injector = new FaultInjector(cluster, names, clients);
      await injector.start();
      await this.#attempt(() => this.#letFaultsHappen(injector, observer, clients));
      await this.#attempt(() => injector.healed());
      await this.#attempt(() => this.#allRecovered());
      return await this.#check(cluster, observer, clients);
    } finally {
      await clients.close();
      await cluster.close();
      await observer.close();
    }
  }

  get #nowMs(): number {
    return monotonicMs() - this.#startMs;
  }

  readonly #violation = (text: string): void => {
    if (this.#violations.length >= violationsMax) return;
    this.#violations.push(text);
    this.#hooks.onLine(`violation: ${text}`);
  };

  readonly #recovered = ({ id, firstMs, everyMs }: Recovery): void => {
    const index = this.#faults.findIndex(fault => fault.id === id);
    this.#faults[index] = { ...this.#faults[index]!, firstMs, everyMs };
  };

  #listen(cluster: Cluster<ChaosMachine>): void {
    cluster.on("actorFailed", ({ actor, reason }) => this.#violation(`${actor} stays down: ${reason}`));
    cluster.on("divergence", ({ instance, learners }) =>
      this.#violation(`${learners.join(" and ")} differ after instance ${instance}`),
    );
    cluster.on("snapshotFailed", ({ actor, phase, reason }) =>
      this.#violation(`${actor} failed in ${phase}(): ${reason}`),
    );
  }

  /** What does not come to its end is a finding; the checks go on. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#violation(error instanceof Error ? error.message : String(error));
    }
  }

  async #letFaultsHappen(
    injector: FaultInjector,
    observer: ObserverThread,
    clients: ClientThreads,
  ): Promise<void> {
    for (const fault of this.#schedule()) {
      if (!(await this.#loadUntil(fault.atMs, clients))) return;
      const struck = await injector.strike(fault);
      const id = this.#faults.length;
      const { kind, what, calledAtMs, struckAtMs } = struck;
      const atMs = calledAtMs - this.#startMs;
      this.#faults.push({ id, kind, what, atMs, firstMs: null, everyMs: null });
      observer.struck({ id, calledAtMs, struckAtMs, clients: struck.clients });
      this.#hooks.onLine(`${(atMs / 1000).toFixed(1).padStart(7)} s  ${what}`);
    }
    await this.#loadUntil(Number.POSITIVE_INFINITY, clients);
  }

  get #endMs(): number {
    const { seconds, commits } = this.#options;
    return commits === undefined ? settleInMs + seconds * 1000 : chaosLimits.seconds.max * 1000;
  }

  #schedule(): Generator<Fault> {
    const { seed, faults: kinds, everyMs, leaseMs, killLeaderEveryMs } = this.#options;
    if (killLeaderEveryMs === undefined) {
      return schedule({ seed, kinds, everyMs, leaseMs, fromMs: settleInMs, untilMs: this.#endMs });
    }
    const { fromMs, untilMs } = this.#phases[1]!;
    return killLeaderSchedule({ everyMs: killLeaderEveryMs, fromMs, untilMs });
  }

  get #phases(): Phase[] {
    if (this.#options.killLeaderEveryMs === undefined) return [];
    const third = (this.#options.seconds * 1000) / 3;
    return ["before", "during", "after"].map((name, index) => ({
      name,
      fromMs: settleInMs + index * third,
      untilMs: settleInMs + (index + 1) * third,
    }));
  }

  /** False when the run is over before. */
  async #loadUntil(atMs: number, clients: ClientThreads): Promise<boolean> {
    const { commits = Number.POSITIVE_INFINITY } = this.#options;
    for (;;) {
      const nowMs = this.#nowMs;
      const acknowledged = clients.acknowledged;
      if (nowMs >= this.#memoryAtMs) {
        this.#memoryAtMs = nowMs + memoryEveryMs;
        this.#memory.push({ atMs: nowMs, commits: acknowledged, ...memoryState() });
      }
      if (this.#hooks.signal.aborted || acknowledged >= commits || nowMs >= this.#endMs) return false;
      if (nowMs >= atMs) return true;
      await pause(Math.min(pollMs, Math.max(1, atMs - nowMs)));
    }
  }

  async #allRecovered(): Promise<void> {
    const giveUpAt = monotonicMs() + recoverWithinMs;
    for (;;) {
      const open = this.#faults.filter(({ everyMs }) => everyMs === null);
      if (open.length === 0) return;
      if (monotonicMs() > giveUpAt) {
        const what = open.map(fault => `${fault.what} at ${(fault.atMs / 1000).toFixed(1)} s`).join(", ");
        throw new Error(`not every client was answered again within ${recoverWithinMs} ms after ${what}`);
      }
      await pause(pollMs);
    }
  }

  async #check(
    cluster: Cluster<ChaosMachine>,
    observer: ObserverThread,
    clients: ClientThreads,
  ): Promise<Found> {
    this.#loadEndedMs = this.#nowMs;
    const { errors, unsettled: unsettledCounts } = await clients.stop(timeoutMs + settleGraceMs);
    const firstBucket = Math.round((this.#startMs - this.#originMs) / bucketMs);
    const commits = clients.commits(firstBucket, firstBucket + Math.floor(this.#loadEndedMs / bucketMs));
    let checked = nothingChecked;
    let counted = nothingCounted;
    let unsettled = unsettledCounts;
    let lost = 0;
    await this.#attempt(async () => {
      const { counts, open } = await observer.finish();
      checked = counts;
      unsettled += open;
    });
    if (unsettled > 0) this.#violation(`${unsettled} operations have not settled by their deadline`);
    await this.#attempt(async () => {
      const { violations, ...rest } = checkCounts(await readTotals(cluster), clients.counts);
      counted = rest;
      for (const text of violations) this.#violation(text);
    });
    await this.#attempt(async () => {
      const difference = await compareLearners(cluster, this.#options.learners);
      if (difference !== undefined) this.#violation(difference);
      lost = await lostWakeUps(cluster);
    });
    return {
      options: this.#options,
      durationMs: this.#loadEndedMs,
      interrupted: this.#hooks.signal.aborted,
      timeline: { bucketMs, commits },
      phases: this.#phases,
      faults: this.#faults.map(({ id: _, ...fault }) => fault),
      counted,
      checked,
      errors,
      unsettled,
      lostWakeUps: lost,
      memory: this.#memory,
      violations: this.#violations,
    };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
