import { Random } from "@synod/core/testing";
import { keyOf, type RowLine, type Settings } from "../results/format.js";
import { loadKey, shapeKey } from "./grid.js";

/** One measurement of one cell. */
export interface Step {
  readonly settings: Settings;
  readonly repeat: number;
}

/** Steps that are taken one after the other on the same cluster. */
export type Visit = readonly [Step, ...Step[]];

/**
 * Round after round over all cells, so that whatever changes on the machine in the course of a run strikes all cells
 * alike. Within a round the clusters come in an order drawn from the seed, and so do the cells of each: no cell is
 * always measured behind the same other one.
 */
export function planOf(cells: readonly Settings[], repeats: number, seed: number): Visit[] {
  const random = new Random(seed);
  const shapes = byShape(cells);
  return Array.from({ length: repeats }, (_, repeat) =>
    shuffle(shapes, random).map(
      shape => shuffle(shape, random).map(settings => ({ settings, repeat })) as unknown as Visit,
    ),
  ).flat();
}

/** What is left of a plan when these rows have been measured. */
export function remaining(plan: readonly Visit[], rows: readonly RowLine[]): Visit[] {
  const measured = new Set(rows.filter(({ stage }) => stage !== "final").map(stepKey));
  return plan
    .map(visit => visit.filter(step => !measured.has(stepKey(step))))
    .filter((visit): visit is [Step, ...Step[]] => visit.length > 0);
}

/**
 * The loads at which the best pair is looked for and judged: all clients and rates, with the first of everything else
 * that was asked for. Judging them all would take longer than the sweep.
 */
export function judgedLoads(cells: readonly Settings[]): Settings[] {
  const others = (cell: Settings): string =>
    keyOf({ ...cell, ...{ batch: 0, pipeline: 0, clients: 0, mode: "closed", ratePerSecond: null } });
  const loads = new Map<string, Settings>();
  for (const cell of cells) {
    if (others(cell) === others(cells[0]!) && !loads.has(loadKey(cell))) loads.set(loadKey(cell), cell);
  }
  return [...loads.values()];
}

/** The comparison's rows that are missing: repeat after repeat over all loads. */
export function remainingPairs(
  loads: readonly Settings[],
  pair: Pick<Settings, "batch" | "pipeline">,
  repeats: number,
  rows: readonly RowLine[],
): Step[] {
  const measured = new Set(rows.filter(({ stage }) => stage === "final").map(stepKey));
  return Array.from({ length: repeats }, (_, repeat) => repeat).flatMap(repeat =>
    loads
      .map(load => ({ settings: { ...load, ...pair }, repeat }))
      .filter(step => !measured.has(stepKey(step))),
  );
}

function stepKey({ settings, repeat }: Step): string {
  return `${repeat} ${keyOf(settings)}`;
}

function byShape(cells: readonly Settings[]): Settings[][] {
  const groups = new Map<string, Settings[]>();
  for (const cell of cells) {
    const key = shapeKey(cell);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return [...groups.values()];
}

/** Fisher and Yates. */
function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.between(0, last);
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
