import type { RowLine, Settings } from "../results/format.js";
import { median, type RatioEstimate, ratioOfPairs } from "../results/statistics.js";
import { defaultPair, loadKey } from "./grid.js";

/** A batch and a pipeline. */
export type Pair = Pick<Settings, "batch" | "pipeline">;

/** The best pair of one load, by the rows of the grid. */
export interface BestOfLoad {
  readonly load: Settings;
  readonly best: Summary;
  /** The default there; null where the grid has no row of it. */
  readonly default: Summary | null;
}

/** Medians over the repeats of a cell. */
interface Summary {
  readonly settings: Settings;
  readonly commitsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** The best fixed pair beside the default, at one load. */
export interface Comparison {
  readonly load: Settings;
  /** Of commits per second with closed-loop clients; of one over the 99th percentile in an open loop. */
  readonly ratio: RatioEstimate;
  readonly best: Summary;
  readonly default: Summary;
}

export function isDefault({ batch, pipeline }: Pair): boolean {
  return batch === defaultPair.batch && pipeline === defaultPair.pipeline;
}

/** More is better: with a fixed rate the commits are given, and what counts is how long they take. */
export function meritOf(row: Pick<RowLine, "settings" | "commitsPerSecond" | "latencyUs">): number {
  return row.settings.mode === "closed" ? row.commitsPerSecond : 1e6 / Math.max(row.latencyUs.p99, 1);
}

/** For every load of the grid its best cell, the default among them; few clients and low rates first. */
export function bestOfLoads(rows: readonly RowLine[]): BestOfLoad[] {
  const size = ({ settings: { clients, ratePerSecond } }: RowLine): number => ratePerSecond ?? clients;
  const sorted = [...rows].sort(
    (a, b) => a.settings.mode.localeCompare(b.settings.mode) || size(a) - size(b),
  );
  return [...groupsOf(sorted, ({ settings }) => loadKey(settings)).values()].map(ofLoad => {
    const cells = [...groupsOf(ofLoad, ({ settings }) => pairName(settings)).values()];
    const [best] = [...cells].sort((a, b) => medianMerit(b) - medianMerit(a));
    const standard = cells.find(([row]) => isDefault(row.settings));
    return {
      load: ofLoad[0].settings,
      best: summaryOf(best!),
      default: standard === undefined ? null : summaryOf(standard),
    };
  });
}

/**
 * The pair that is best for all these rows' loads together: the one that keeps most of each load's best, by the
 * geometric mean. Null when the rows have nothing but the default.
 */
export function bestPair(rows: readonly RowLine[]): Pair | null {
  const others = rows.filter(({ settings }) => !isDefault(settings));
  const scores = new Map<string, { pair: Pair; logs: number[] }>();
  const loads = groupsOf(others, ({ settings }) => loadKey(settings));
  for (const ofLoad of loads.values()) {
    const cells = [...groupsOf(ofLoad, ({ settings }) => pairName(settings)).values()];
    const most = Math.max(...cells.map(medianMerit));
    for (const cell of cells) {
      const { batch, pipeline } = cell[0].settings;
      const score = scores.get(pairName(cell[0].settings)) ?? { pair: { batch, pipeline }, logs: [] };
      score.logs.push(Math.log(Math.max(medianMerit(cell), 1e-9) / Math.max(most, 1e-9)));
      scores.set(pairName(score.pair), score);
    }
  }
  const complete = [...scores.values()].filter(({ logs }) => logs.length === loads.size);
  const sum = (logs: readonly number[]): number => logs.reduce((all, log) => all + log, 0);
  return complete.sort((a, b) => sum(b.logs) - sum(a.logs))[0]?.pair ?? null;
}

/**
 * What the final rows say: those of the grid chose the pair, and chance helped it to be chosen, so that they cannot
 * judge it as well.
 */
export function comparisonsOf(rows: readonly RowLine[]): Comparison[] {
  const finals = rows.filter(({ stage }) => stage === "final");
  return [...groupsOf(finals, ({ settings }) => loadKey(settings)).values()].flatMap(ofLoad => {
    const standard = new Map(
      ofLoad.filter(({ settings }) => isDefault(settings)).map(row => [row.repeat, row] as const),
    );
    const best = ofLoad.filter(({ settings, repeat }) => !isDefault(settings) && standard.has(repeat));
    if (best.length === 0) return [];
    const beside = best.map(({ repeat }) => standard.get(repeat)!);
    return [
      {
        load: ofLoad[0].settings,
        ratio: ratioOfPairs(best.map(meritOf), beside.map(meritOf)),
        best: summaryOf(best),
        default: summaryOf(beside),
      },
    ];
  });
}

function summaryOf(rows: readonly RowLine[]): Summary {
  const middle = (of: (row: RowLine) => number): number => median(rows.map(of)) ?? 0;
  return {
    settings: rows[0]!.settings,
    commitsPerSecond: middle(row => row.commitsPerSecond),
    p50Us: middle(row => row.latencyUs.p50),
    p99Us: middle(row => row.latencyUs.p99),
  };
}

function medianMerit(rows: readonly RowLine[]): number {
  return median(rows.map(meritOf)) ?? 0;
}

function pairName({ batch, pipeline }: Pair): string {
  return `${batch} ${pipeline}`;
}

function groupsOf(
  rows: readonly RowLine[],
  key: (row: RowLine) => string,
): Map<string, [RowLine, ...RowLine[]]> {
  const groups = new Map<string, [RowLine, ...RowLine[]]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group === undefined) groups.set(key(row), [row]);
    else group.push(row);
  }
  return groups;
}
