import { availableParallelism } from "node:os";
import type { ThreadsMode } from "../options.js";
import { type FaultKind, faultKinds } from "./schedule.js";

/** What a run is asked to do. */
export interface ChaosOptions {
  /** Everything that is drawn is drawn from it. */
  readonly seed: number;
  /** How long faults happen. */
  readonly seconds: number;
  /** Ends the run when so many commits were counted, instead of after `seconds`. */
  readonly commits?: number;
  readonly clientThreads: number;
  /** Counted commands that each client thread has under way. */
  readonly inFlight: number;
  readonly faults: readonly FaultKind[];
  /** The mean time between two faults, in milliseconds. */
  readonly everyMs: number;
  /** Kills the leader at this distance, in milliseconds, in the second third of the run, and nothing else. */
  readonly killLeaderEveryMs?: number;
  readonly leaseMs: number;
  readonly proposers: number;
  readonly acceptors: number;
  readonly learners: number;
  /** Which actors share a thread, and so are struck together. */
  readonly threads: ThreadsMode;
  /** Commands after which a learner takes a snapshot. */
  readonly snapshotEvery: number;
  /** Where the JSON result goes. */
  readonly out?: string;
}

/** Bounds and defaults, with their reasons. */
export const chaosLimits = {
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  /** Enough for each kind of fault by default; six hours are set aside for in shared memory. */
  seconds: { min: 3, max: 6 * 3600, default: 60 },
  commits: { min: 1, max: 1_000_000_000_000 },
  clientThreads: { min: 1, max: 16, default: Math.min(3, availableParallelism() + 1) },
  inFlight: { min: 1, max: 1024, default: 128 },
  everyMs: { min: 50, max: 600_000, default: 1500 },
  leaseMs: { min: 20, max: 60_000, default: 500 },
  proposers: { min: 1, max: 16, default: 2 },
  acceptors: { min: 1, max: 31, default: 3 },
  learners: { min: 1, max: 16, default: 2 },
  /** By default several in a short run. */
  snapshotEvery: { min: 1000, max: 1_000_000_000, default: 100_000 },
} as const;

/** Faults that a cluster of this size can have and get over. */
export function possibleFaults(
  { proposers, acceptors }: Pick<ChaosOptions, "proposers" | "acceptors">,
  kinds: readonly FaultKind[] = faultKinds,
): FaultKind[] {
  const needTwoProposers: readonly FaultKind[] = ["kill-proposer", "transfer", "two-at-once"];
  const needThreeAcceptors: readonly FaultKind[] = ["kill-acceptor", "pause-acceptor", "two-at-once"];
  return kinds.filter(
    kind =>
      (proposers >= 2 || !needTwoProposers.includes(kind)) &&
      (acceptors >= 3 || !needThreeAcceptors.includes(kind)),
  );
}

/** The command line that gives the same schedule of faults. */
export function replayCommand(options: ChaosOptions): string {
  const { seed, seconds, commits, faults, killLeaderEveryMs } = options;
  const words = ["pnpm chaos", `--seed ${seed}`, `--seconds ${seconds}`];
  if (commits !== undefined) words.push(`--commits ${commits}`);
  if (killLeaderEveryMs !== undefined) words.push(`--kill-leader-every-ms ${killLeaderEveryMs}`);
  const all = possibleFaults(options);
  if (killLeaderEveryMs === undefined && all.length !== faults.length) {
    words.push(`--faults ${faults.length === 0 ? "none" : faults.join(",")}`);
  }
  const numbers = [
    ["client-threads", "clientThreads"],
    ["in-flight", "inFlight"],
    ["every-ms", "everyMs"],
    ["lease-ms", "leaseMs"],
    ["proposers", "proposers"],
    ["acceptors", "acceptors"],
    ["learners", "learners"],
    ["snapshot-every", "snapshotEvery"],
  ] as const;
  for (const [flag, name] of numbers) {
    if (options[name] !== chaosLimits[name].default) words.push(`--${flag} ${options[name]}`);
  }
  if (options.threads !== "isolated") words.push(`--threads ${options.threads}`);
  return words.join(" ");
}
