import { naming } from "../measure.js";
import type { RowLine, Settings } from "../results/format.js";
import { CellCluster } from "./cell-cluster.js";
import { defaultPair, loadKey, shapeOf } from "./grid.js";
import { finalPairsOf, type SweepOptions, sweepLimits } from "./options.js";
import { judgedLoads, planOf, remaining, remainingPairs, type Step, type Visit } from "./plan.js";
import type { OpenResults } from "./result-file.js";
import { loadName, nameOf } from "./text.js";
import { bestPair, type Pair } from "./verdict.js";

/** What a run tells, and what it is told. */
export interface SweepHooks {
  /** After each row: how many there are, of how many, and what was measured. */
  onRow(done: number, total: number, what: string): void;
  /** True when it is to end: after what is being measured. */
  isEnding(): boolean;
  /** True when there is no time for another repeat of the grid, or of the comparison. */
  isLate(stage: Stage): boolean;
}

/** What became of a run. */
export type SweepEnd = "complete" | "late" | "interrupted";

type Stage = "grid" | "final";

/** Everything that the parts of a run share. */
interface Sweep {
  readonly options: SweepOptions;
  readonly results: OpenResults;
  readonly hooks: SweepHooks;
  readonly total: number;
}

/** Measures what the file does not have yet. @throws VerificationError, and what a cluster throws */
export async function runSweep(
  cells: readonly Settings[],
  options: SweepOptions,
  results: OpenResults,
  hooks: SweepHooks,
): Promise<SweepEnd> {
  const loads = judgedLoads(cells);
  const sweep = { options, results, hooks, total: rowsOf(cells, options) };
  let isLate = await measureGrid(sweep, cells);
  if (hooks.isEnding()) return "interrupted";
  const keys = new Set(loads.map(loadKey));
  const pair = bestPair(
    results.rows.filter(({ stage, settings }) => stage !== "final" && keys.has(loadKey(settings))),
  );
  if (pair !== null) isLate = (await compare(sweep, pair, loads)) || isLate;
  if (hooks.isEnding()) return "interrupted";
  return isLate ? "late" : "complete";
}

/** How many rows a whole run has. */
export function rowsOf(cells: readonly Settings[], options: Pick<SweepOptions, "repeats">): number {
  return cells.length * options.repeats + 2 * finalPairsOf(options) * judgedLoads(cells).length;
}

/** True when time ran out. The first round is never late: without it there is nothing to choose from. */
async function measureGrid(sweep: Sweep, cells: readonly Settings[]): Promise<boolean> {
  const { options, results, hooks } = sweep;
  for (const visit of remaining(planOf(cells, options.repeats, options.seed), results.rows)) {
    if (visit[0].repeat > 0 && hooks.isLate("grid")) return true;
    await measureVisit(sweep, visit);
    if (hooks.isEnding()) return false;
  }
  return false;
}

/** One cluster, and what is to be measured on it. */
async function measureVisit(sweep: Sweep, visit: Visit): Promise<void> {
  const { settings: first } = visit[0];
  const cluster = await startCluster(sweep, first);
  try {
    for (const step of visit) {
      await sweep.results.add(await measureStep(sweep, cluster, step, "grid"));
      tell(sweep, nameOf(step.settings));
      if (sweep.hooks.isEnding()) return;
    }
  } finally {
    await cluster.close();
  }
}

/** The best pair and the default live side by side and are measured in turns. True when time ran out. */
async function compare(sweep: Sweep, pair: Pair, loads: readonly Settings[]): Promise<boolean> {
  const { options, results, hooks } = sweep;
  const steps = remainingPairs(loads, pair, finalPairsOf(options), results.rows);
  const [first] = steps;
  if (first === undefined) return false;
  const clusters: CellCluster[] = [];
  try {
    clusters.push(await startCluster(sweep, first.settings));
    clusters.push(await startCluster(sweep, { ...first.settings, ...defaultPair }));
    for (const { settings, repeat } of steps) {
      // Of two there is an interval at least.
      if (repeat > 1 && hooks.isLate("final")) return true;
      const both = [settings, { ...settings, ...defaultPair }];
      const rows: RowLine[] = [];
      // The first of the two alternates, lest it be the one that always comes behind the other.
      for (const which of repeat % 2 === 0 ? [0, 1] : [1, 0]) {
        const step = { settings: both[which]!, repeat };
        rows.push(await measureStep(sweep, clusters[which]!, step, "final"));
        if (hooks.isEnding()) return false;
      }
      await results.add(...rows);
      tell(sweep, `${loadName(settings)}, the best beside the default`);
    }
    return false;
  } finally {
    await Promise.all(clusters.map(cluster => cluster.close()));
  }
}

async function startCluster({ options }: Sweep, settings: Settings): Promise<CellCluster> {
  const cluster = await CellCluster.start(shapeOf(settings), Math.max(...options.payload), options.stages);
  try {
    const { most, least } = sweepLimits.warmUpSeconds;
    await cluster.warmUp(settings, 1000 * Math.min(most, Math.max(least, options.seconds)));
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function measureStep(
  { options }: Sweep,
  cluster: CellCluster,
  { settings, repeat }: Step,
  stage: Stage,
): Promise<RowLine> {
  const ms = options.seconds * 1000;
  const at = new Date().toISOString();
  const measured = await naming(nameOf(settings), async () => {
    await cluster.warmUp(settings, ms * sweepLimits.warmUpPart);
    return cluster.measure(settings, ms);
  });
  return { kind: "row", settings, repeat, at, ...measured, stage };
}

function tell({ results, hooks, total }: Sweep, what: string): void {
  hooks.onRow(results.rows.length, total, what);
}
