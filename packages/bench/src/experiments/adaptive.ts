import { type ClusterSettings, ClusterSubject } from "../cluster-subject.js";
import { type FixedSetting, fixedSettings, nameOf } from "../fixed-settings.js";
import { ClosedLoopLoad } from "../load.js";
import { naming, type OnStep, verifiedCounts } from "../measure.js";
import { differ, ratio, ratioSpread } from "../results/statistics.js";
import { estimateOf, type Sampled, sampleInTurns, samplesPerLoad, warmUpSamples } from "../sampling.js";

export interface AdaptiveOptions {
  /** Numbers of closed-loop clients, one comparison each. */
  readonly clients: readonly number[];
  readonly payload: number;
  /** Seconds measured per setting and number of clients. */
  readonly seconds: number;
  /** Where the JSON result goes. */
  readonly json?: string;
}

/** A fixed setting's first, short measurement: good enough to tell which ones may be the best. */
interface CoarseResult {
  readonly clients: number;
  readonly setting: FixedSetting;
  readonly commitsPerSecond: number;
}

/** A finalist; the setting is null of the one that follows the load. */
export interface Finalist extends Sampled {
  readonly setting: FixedSetting | null;
  readonly commandsPerAccept: number | null;
}

/** What was found with one number of clients. */
export interface AdaptiveRow {
  readonly clients: number;
  readonly adaptive: Finalist;
  /** The best first. */
  readonly fixed: readonly [Finalist, ...Finalist[]];
  /** Of commits per second: adaptive to the best fixed one. */
  readonly ratio: number | null;
  /** In percent of the ratio. */
  readonly ratioSpread: number;
  /** False where the 95% confidence intervals of the two overlap. */
  readonly differs: boolean;
  readonly coarse: readonly CoarseResult[];
}

/** So many fixed settings are measured thoroughly: a short slice does not tell neighbours from each other. */
const fixedFinalists = 3;
/** A coarse slice takes this part of the time for a finalist. */
const coarsePart = 1 / 16;

/** Measures the default cluster, whose batches follow the load, against fixed settings. @throws VerificationError */
export async function measureAdaptive(options: AdaptiveOptions, onStep: OnStep): Promise<AdaptiveRow[]> {
  const slices = options.clients.reduce((sum, clients) => sum + fixedSettings(clients).length, 0);
  const finalists = options.clients.reduce((sum, clients) => sum + finalistsOf(clients) + 1, 0);
  const total = slices + finalists * (samplesPerLoad + warmUpSamples);
  let done = 0;
  const step = (what: string): void => onStep(++done, total, what);
  const coarse = await measureCoarsely(options, step);
  const rows: AdaptiveRow[] = [];
  for (const clients of options.clients) {
    const results = coarse.filter(result => result.clients === clients);
    rows.push(await compare(clients, results, options, step));
  }
  return rows;
}

function finalistsOf(clients: number): number {
  return Math.min(fixedFinalists, fixedSettings(clients).length);
}

/** Each setting gets one cluster for all numbers of clients: most of the time would go into starting them. */
async function measureCoarsely(
  { clients, payload, seconds }: AdaptiveOptions,
  step: (what: string) => void,
): Promise<CoarseResult[]> {
  const sliceMs = seconds * 1000 * coarsePart;
  const results: CoarseResult[] = [];
  for (const setting of fixedSettings(Math.max(...clients))) {
    const subject = await ClusterSubject.start(settingsOf(setting), false);
    try {
      const load = new ClosedLoopLoad(subject.propose, payload);
      for (const number of clients.filter(number => isTried(setting, number))) {
        await load.slice(number, sliceMs);
        const { commits, durationMs } = await load.slice(number, sliceMs);
        results.push({ clients: number, setting, commitsPerSecond: (1000 * commits) / durationMs });
        step(`${nameOf(setting)}, ${number} clients`);
      }
      await naming(nameOf(setting), () => subject.verify(load.acknowledged));
    } finally {
      await subject.close();
    }
  }
  return results;
}

/**
 * The finalists live side by side and are sampled in turns. The idle ones' heartbeats cost each of them the same:
 * 1.5% of a core per idle cluster. That the best fixed one is picked by the samples that it is then judged by makes
 * it look a little better than it is, not worse.
 */
async function compare(
  clients: number,
  coarse: readonly CoarseResult[],
  { payload, seconds }: AdaptiveOptions,
  step: (what: string) => void,
): Promise<AdaptiveRow> {
  const best = [...coarse]
    .sort((a, b) => b.commitsPerSecond - a.commitsPerSecond)
    .slice(0, finalistsOf(clients))
    .map(({ setting }) => setting);
  const running: {
    id: string;
    setting: FixedSetting | null;
    subject: ClusterSubject;
    load: ClosedLoopLoad;
  }[] = [];
  try {
    for (const setting of [null, ...best]) {
      const subject = await ClusterSubject.start(settingsOf(setting), false);
      const load = new ClosedLoopLoad(subject.propose, payload);
      running.push({ id: `${nameOf(setting)}, ${clients} clients`, setting, subject, load });
    }
    const sampled = await sampleInTurns(running, { clients, seconds }, step);
    const finalists: Finalist[] = [];
    for (const { id, setting, subject, load } of running) {
      const counts = await naming(id, () => verifiedCounts(subject, load));
      const copies = counts && ratio(load.acknowledged * counts.acceptReceivers, counts.acceptFrames);
      finalists.push({ setting, ...sampled.get(id)!, commandsPerAccept: copies ?? null });
    }
    const [adaptive, ...fixed] = finalists as [Finalist, Finalist, ...Finalist[]];
    fixed.sort((a, b) => b.commitsPerSecond - a.commitsPerSecond);
    return { clients, adaptive, fixed, ...relate(adaptive, fixed[0]), coarse };
  } finally {
    await Promise.all(running.map(({ subject }) => subject.close()));
  }
}

function relate(adaptive: Finalist, fixed: Finalist): Pick<AdaptiveRow, "ratio" | "ratioSpread" | "differs"> {
  const [a, b] = [estimateOf(adaptive), estimateOf(fixed)];
  return { ratio: ratio(a.mean, b.mean), ratioSpread: ratioSpread(a, b), differs: differ(a, b) };
}

function isTried(setting: FixedSetting, clients: number): boolean {
  const same = ({ commandsMax, batchesMax }: FixedSetting) =>
    commandsMax === setting.commandsMax && batchesMax === setting.batchesMax;
  return fixedSettings(clients).some(same);
}

/** The adaptive cluster is the one that users get who set nothing; a fixed one differs in batches and pipeline only. */
function settingsOf(setting: FixedSetting | null): ClusterSettings {
  if (setting === null) return {};
  const { commandsMax, batchesMax } = setting;
  return { batch: { commandsMax, adaptive: false }, pipeline: { batchesMax } };
}
