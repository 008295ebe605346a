import type { QuorumSizes } from "../quorum.js";
import type { Topology } from "../roles.js";
import type { Random } from "./random.js";

/** What can go wrong in a run; each can be switched off when a failure is shortened. */
export const faultKinds = [
  "drop",
  "duplicate",
  "reorder",
  "freeze",
  "stall",
  "isolate",
  "cut",
  "split",
  "crashProposer",
  "crashAcceptor",
  "crashLearner",
  "impatience",
  "transfer",
  "corrupt",
  "abandon",
  "leave",
  "sleep",
  "failSnapshot",
  "failRestore",
  "wrongResult",
  "straggle",
  "fillStorage",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Everything about a run that is drawn from its seed before it starts. */
export interface Profile {
  readonly topology: Topology;
  readonly quorums: QuorumSizes;
  readonly mode: "basic" | "multi";
  readonly leaseMs: number;
  /** Whether an acceptor's storage gives its lease back. */
  readonly leasesAreKept: boolean;
  readonly distinguishedLearner: boolean;
  readonly digest: boolean;
  readonly batchCommandsMax: number;
  readonly lingerMs: number;
  readonly adaptive: boolean;
  readonly pipelineBatchesMax: number;
  readonly pipelineBytesMax: number;
  readonly clients: number;
  /** Every other client only reads. */
  readonly readers: boolean;
  readonly windowCommandsMax: number;
  readonly sessionTimeoutMs: number;
  /** Without faults, clients stay idle for a while before the end, and their sessions must stay. */
  readonly idleMs: number;
  /** With trimming, learners report progress and take snapshots. */
  readonly trimming: boolean;
  /** A snapshot is taken after so many commands. */
  readonly snapshotEvery: number;
  /** Instances that are kept above what is trimmed. */
  readonly tailInstances: number;
  /** Results of instances divisible by this are compared. */
  readonly sampleEvery: number;
  /** Who is never started again after the faults: none, or one of a role that can do without. */
  /** Replicas in users' threads: when one dies, another joins. */
  readonly observers: number;
  readonly deadForEver: "nobody" | "proposer" | "acceptor" | "learner";
  /** Everything below was chosen, applied and trimmed before the run. */
  readonly firstInstance: number;
  /** Payload bytes of one part of a Promise, so small that there are many parts. */
  readonly promisePartBytesMax: number;
  readonly faultSteps: number;
  readonly delayMsMax: number;
  /** How often somebody may lose patience and stand for election, or hand over. */
  readonly unrestEveryMs: number;
  /** Probability that a host lets several messages come before it takes what is ready. */
  readonly lateFlush: number;
  /**
   * Probabilities per message, per call of an actor (stall), per turn of a client (abandon, leave, sleep), per
   * unrest (impatience, transfer, split), per link and unrest (cut), per snapshot, restore and sample, or per Accept
   * (fillStorage). A learner that straggles hears of nothing for long.
   */
  readonly faults: Readonly<Record<FaultKind, number>>;
}

const quorumSizes: Readonly<Record<number, readonly QuorumSizes[]>> = {
  3: [{ prepare: 2, accept: 2 }],
  4: [
    { prepare: 3, accept: 2 },
    { prepare: 2, accept: 3 },
    { prepare: 3, accept: 3 },
  ],
  5: [
    { prepare: 3, accept: 3 },
    { prepare: 4, accept: 2 },
    { prepare: 2, accept: 4 },
  ],
};

/** How long after the last fault a session may still expire that has suffered from it, in milliseconds. */
export function graceMs({
  sessionTimeoutMs,
  leaseMs,
}: Pick<Profile, "sessionTimeoutMs" | "leaseMs">): number {
  return 2 * sessionTimeoutMs + 8 * leaseMs;
}

export function drawProfile(random: Random): Profile {
  const profile = drawAny(random);
  const drawn = random.chance(0.2) ? onLearners(profile, random) : profile;
  return { ...drawn, observers: random.pick([0, 0, 0, 1, 2]) };
}

/**
 * Much is chosen and trimmed while learners suffer: they die, or hear of nothing for long, and need the others'
 * snapshots. Where everybody suffers, too little is chosen for that.
 */
function onLearners(profile: Profile, random: Random): Profile {
  const { topology, faults } = profile;
  return {
    ...profile,
    topology: { ...topology, learners: random.pick([2, 2, 3]) },
    trimming: true,
    snapshotEvery: random.pick([1, 3]),
    tailInstances: random.pick([0, 0, 2]),
    delayMsMax: 4,
    faultSteps: random.between(1000, 2500),
    faults: {
      ...noFaults,
      duplicate: faults.duplicate,
      reorder: faults.reorder,
      stall: faults.stall,
      crashLearner: random.pick([0.01, 0.03]),
      straggle: random.pick([0.005, 0.02]),
      failSnapshot: faults.failSnapshot,
      failRestore: faults.failRestore,
      wrongResult: faults.wrongResult,
      fillStorage: faults.fillStorage,
    },
  };
}

const noFaults = Object.fromEntries(faultKinds.map(kind => [kind, 0])) as Profile["faults"];

function drawAny(random: Random): Profile {
  const acceptors = random.pick([3, 3, 3, 4, 5]);
  const trimming = random.chance(0.5);
  const sessionTimeoutMs = random.pick([600, 2000, 60_000]);
  const leaseMs = random.pick([60, 150, 400]);
  return {
    topology: {
      proposers: random.pick([1, 2, 2, 2, 3, 3]),
      acceptors,
      learners: random.pick([1, 2, 2, 2, 3]),
    },
    quorums: random.pick(quorumSizes[acceptors] ?? []),
    mode: random.pick(["multi", "multi", "basic"]),
    leaseMs,
    leasesAreKept: random.chance(0.8),
    distinguishedLearner: random.chance(0.4),
    digest: random.chance(0.4),
    batchCommandsMax: random.between(1, 5),
    pipelineBatchesMax: random.pick([1, 2, 3, 4, 8]),
    pipelineBytesMax: random.pick([8, 40, 1024]),
    lingerMs: random.pick([0, 0, 0, 7]),
    adaptive: random.chance(0.5),
    clients: random.between(2, 4),
    readers: random.chance(0.3),
    windowCommandsMax: random.pick([4, 8, 16]),
    sessionTimeoutMs,
    idleMs: random.chance(0.2) && sessionTimeoutMs < 60_000 ? 2 * graceMs({ sessionTimeoutMs, leaseMs }) : 0,
    trimming,
    observers: 0,
    deadForEver: random.pick(["nobody", "nobody", "proposer", "acceptor", "learner"]),
    firstInstance: random.pick([0, 0, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 40]),
    promisePartBytesMax: random.pick([4, 16, 64, 1024]),
    faultSteps: random.between(300, 1500),
    delayMsMax: random.pick([4, 20, 60]),
    unrestEveryMs: random.pick([25, 60, 150, 400, 5000]),
    lateFlush: random.pick([0, 0.1, 0.4]),
    faults: {
      drop: random.pick([0, 0.02, 0.1, 0.3]),
      duplicate: random.pick([0, 0.05, 0.2]),
      reorder: random.pick([0, 0.05, 0.2]),
      freeze: random.pick([0, 0.002, 0.01]),
      stall: random.pick([0, 0, 0.002, 0.01]),
      isolate: random.pick([0, 0, 0.004, 0.02]),
      cut: random.pick([0, 0.2, 0.4]),
      split: random.pick([0, 0, 0.1, 0.4]),
      crashProposer: random.pick([0, 0.002, 0.01, 0.05]),
      crashAcceptor: random.pick([0, 0.005, 0.02, 0.08]),
      crashLearner: random.pick([0, 0.002, 0.01, 0.03]),
      impatience: random.pick([0, 0.2, 1]),
      transfer: random.pick([0, 0, 0.1, 0.3]),
      corrupt: random.pick([0, 0.01, 0.1]),
      abandon: random.pick([0, 0.1, 0.3]),
      leave: random.pick([0, 0.02, 0.05]),
      sleep: random.pick([0, 0, 0.01, 0.03]),
      failSnapshot: random.pick([0, 0.2, 0.5]),
      failRestore: random.pick([0, 0.2, 0.5]),
      wrongResult: random.pick([0, 0, 0, 0.01, 0.1]),
      straggle: random.pick([0, 0.005, 0.02]),
      fillStorage: random.pick([0, 0, 0.02, 0.1]),
    },
    snapshotEvery: random.pick([1, 3, 8]),
    tailInstances: random.pick([0, 2, 10]),
    sampleEvery: random.pick([1, 2, 4]),
  };
}
