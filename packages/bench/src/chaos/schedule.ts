import { Random } from "@synod/core/testing";

/** What can go wrong in one process, and how often it does relative to the others. */
const weights = {
  "kill-leader": 4,
  "kill-proposer": 1,
  "kill-acceptor": 3,
  "kill-learner": 3,
  "kill-client": 1,
  "pause-leader": 3,
  "pause-acceptor": 2,
  "pause-learner": 2,
  transfer: 1,
  "two-at-once": 3,
  "kill-all-acceptors": 1,
  "kill-all-learners": 1,
  burst: 2,
  "block-main": 1,
} as const;

export type FaultKind = keyof typeof weights;
export const faultKinds = Object.keys(weights) as readonly FaultKind[];

/** Faults of which two happen at once: one of each line, so that no more acceptors are down than a quorum allows. */
const pairable = [
  ["kill-leader", "kill-proposer", "pause-leader"],
  ["kill-acceptor", "pause-acceptor"],
  ["kill-learner", "pause-learner"],
] as const;

/** Stalls last from less than an election needs to much longer, in leases. */
const pauseLeases = { min: 1.2, max: 4 };
/** By how much a burst multiplies what is under way, and for how long, in milliseconds. */
const burstFactor = { min: 4, max: 12 };
const burstMs = { min: 200, max: 600 };
/** For so long the main thread does nothing, in milliseconds. */
const blockMainMs = 1000;

/** One fault, drawn beforehand. Which actor has a role, and who leads, is known only when it strikes. */
export interface Fault {
  readonly kind: FaultKind;
  /** The two of `two-at-once`; otherwise the fault itself, alone. */
  readonly parts: readonly Exclude<FaultKind, "two-at-once">[];
  /** From the start of the run, in milliseconds. It may strike later, when others have to be over first. */
  readonly atMs: number;
  /** Chooses among those whom it can strike: from 0 to 1, 1 excluded. */
  readonly choice: number;
  /** Of a stall or a burst. */
  readonly durationMs: number;
  /** Of a burst. */
  readonly factor: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  /** The mean time between two faults, in milliseconds. */
  readonly everyMs: number;
  readonly leaseMs: number;
  /** Faults begin and end here, in milliseconds from the start of the run. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** All faults of a run, in the order of time; the same for the same options. */
export function* schedule(options: ScheduleOptions): Generator<Fault> {
  const { seed, kinds, everyMs, leaseMs, fromMs, untilMs } = options;
  if (kinds.length === 0) return;
  const random = new Random(seed);
  let atMs = fromMs;
  for (;;) {
    atMs += Math.round(everyMs * (0.5 + random.fraction()));
    // Always the same number of draws: what one fault is does not change what the others are.
    const kind = pickWeighted(random, kinds);
    const first = random.below(pairable.length);
    const second = (first + random.between(1, pairable.length - 1)) % pairable.length;
    const pair = [first, second].map(line => random.pick(pairable[line] ?? []));
    const choice = random.fraction();
    const stalledMs = Math.round(
      leaseMs * (pauseLeases.min + random.fraction() * (pauseLeases.max - pauseLeases.min)),
    );
    const burstingMs = random.between(burstMs.min, burstMs.max);
    const factor = random.between(burstFactor.min, burstFactor.max);
    if (atMs >= untilMs) return;
    const durationMs = kind === "burst" ? burstingMs : kind === "block-main" ? blockMainMs : stalledMs;
    yield { kind, parts: kind === "two-at-once" ? pair : [kind], atMs, choice, durationMs, factor };
  }
}

/** One kill of the leader after the other, at equal distances. */
export function* killLeaderSchedule(
  options: Pick<ScheduleOptions, "everyMs" | "fromMs" | "untilMs">,
): Generator<Fault> {
  const { everyMs, fromMs, untilMs } = options;
  for (let atMs = fromMs; atMs < untilMs; atMs += everyMs) {
    yield { kind: "kill-leader", parts: ["kill-leader"], atMs, choice: 0, durationMs: 0, factor: 0 };
  }
}

function pickWeighted(random: Random, kinds: readonly FaultKind[]): FaultKind {
  let left = random.below(kinds.reduce((sum, kind) => sum + weights[kind], 0));
  for (const kind of kinds) {
    left -= weights[kind];
    if (left < 0) return kind;
  }
  throw new Error("there is nothing to pick from");
}
