import type { OnStep } from "../measure.js";
import type { ThreadsMode } from "../options.js";
import { missingFor } from "./availability.js";
import { baseId, noiseId, type Subject, subjects } from "./catalogue.js";
import { machineCpuMs } from "./cpu.js";
import { type Comparison, comparisonOf, type Turn } from "./result.js";
import { RivalClient } from "./rival-client.js";
import { turnsOf } from "./turns.js";

export interface CompareOptions {
  /** Subjects to compare with, by identity; all by default. */
  readonly with?: readonly string[];
  /** Numbers of closed-loop clients. */
  readonly clients: readonly number[];
  /** Bytes that each command carries besides. */
  readonly payload: number;
  /** Seconds measured per subject and number of clients, over all repeats. */
  readonly seconds: number;
  readonly repeats: number;
  /** Of Synod. */
  readonly threads: ThreadsMode;
  /** Where the JSON result goes. */
  readonly json?: string;
}

/** What {@link measureComparison} tells while it runs. */
export interface CompareListeners {
  readonly onStep: OnStep;
  readonly onLine: (text: string) => void;
  /** Called with what ends everything that was started; until that has been called, it is to be kept. */
  readonly onStarted: (endAll: () => Promise<void>) => void;
}

/** Runs all subjects side by side, one slice of one of them at a time. @throws VerificationError */
export async function measureComparison(
  options: CompareOptions,
  listeners: CompareListeners,
): Promise<Comparison> {
  const chosen = subjects.filter(({ id }) => isChosen(id, options));
  const skipped: Comparison["skipped"][number][] = [];
  const running: RivalClient[] = [];
  const endAll = async (): Promise<void> => {
    await Promise.all(running.map(rival => rival.close()));
  };
  listeners.onStarted(endAll);
  const skip = ({ id, title }: Subject, reason: string): void => {
    skipped.push({ id, title, reason });
    listeners.onLine(`skipped ${title}: ${reason}`);
  };
  try {
    for (const subject of chosen) {
      const missing = missingFor(subject);
      if (missing !== undefined) skip(subject, missing);
      else await start(subject, options, running, listeners.onLine);
    }
    const turns = await takeTurns(running, options, listeners.onStep);
    for (const rival of running) await rival.verify();
    const measured = running.map(({ subject, details }) => ({ subject, details }));
    return comparisonOf({ subjects: measured, skipped, turns });
  } finally {
    await endAll();
  }
}

function isChosen(id: string, options: CompareOptions): boolean {
  return id === baseId || id === noiseId || (options.with?.includes(id) ?? true);
}

async function start(
  subject: Subject,
  options: CompareOptions,
  running: RivalClient[],
  onLine: (text: string) => void,
): Promise<void> {
  const rival = await RivalClient.fork(subject, options);
  running.push(rival);
  await rival.ready();
  onLine(`started ${subject.title}: ${rival.details}, process ${rival.pids.join(" and ")}`);
}

async function takeTurns(
  running: readonly RivalClient[],
  { clients, seconds, repeats }: CompareOptions,
  onStep: OnStep,
): Promise<Turn[]> {
  const durationMs = (seconds * 1000) / repeats;
  const plan = turnsOf(running, clients, repeats);
  const turns: Turn[] = [];
  for (const [index, { of: rival, clients: number, repeat }] of plan.entries()) {
    const before = machineCpuMs();
    const slice = await rival.slice(number, durationMs);
    const machineMs = machineCpuMs() - before;
    const what = `${rival.subject.title}, ${number} clients, ${repeat === 0 ? "warm-up" : `repeat ${repeat}`}`;
    onStep(index + 1, plan.length, what);
    if (repeat === 0) continue;
    const cores = slice.cpuMs === null ? null : slice.cpuMs / slice.wallMs;
    const coresBesides = slice.cpuMs === null ? null : Math.max(0, machineMs - slice.cpuMs) / slice.wallMs;
    turns.push({ id: rival.subject.id, clients: number, repeat, ...slice, cores, coresBesides });
  }
  return turns;
}
