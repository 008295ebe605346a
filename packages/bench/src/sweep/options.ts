import { InvalidArgumentError } from "commander";
import { optionLimits } from "../options.js";
import type { Grid } from "./grid.js";

/** What a sweep is asked to do. */
export interface SweepOptions extends Grid {
  readonly repeats: number;
  /** Seconds measured per row. */
  readonly seconds: number;
  /** What the order of the cells is drawn from. */
  readonly seed: number;
  /** Also times the stages of batches. */
  readonly stages: boolean;
  /** Ends the grid early, so that all is done within two minutes. */
  readonly quick: boolean;
}

/** Bounds and defaults, with their reasons. */
export const sweepLimits = {
  batch: { min: 1, max: optionLimits.batch.max },
  /** Commands per second; above it the clock that paces them has nothing between two. */
  rate: { min: 1, max: 10_000_000 },
  clientThreads: { min: 0, max: 64 },
  repeats: { min: 1, max: 1000, default: 3 },
  seconds: { min: 0.05, max: 3600, default: 2 },
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  /** More would take days; a typing error in a list makes them quickly. */
  rows: 100_000,
  /** Pairs of the best setting and the default: with fewer, only large differences stand out. More with more repeats. */
  finalPairs: { least: 6, perRepeat: 2 },
  /** A cluster's first load: threads run compiled code after it. Then a part of the measured time for each cell. */
  warmUpSeconds: { most: 1, least: 0.2 },
  warmUpPart: 0.25,
} as const;

/** The grid where nothing is said: batch x pipeline at a load in which batches matter, and the default beside it. */
export const gridDefault: Grid = {
  clients: [256, 4096],
  rate: [],
  batch: [1, 16, 64, 256, 1024],
  pipeline: [1, 4, 16],
  payload: [0],
  acceptors: [3],
  learners: [2],
  mailbox: ["ring"],
  threads: ["isolated"],
  clientThreads: [0],
};

/** What `--quick` puts in their place. */
export const quickDefault = {
  clients: [256, 4096],
  batch: [64, 1024],
  pipeline: [4, 16],
  repeats: 2,
  seconds: 0.4,
} as const satisfies Partial<SweepOptions>;

/** Of two minutes, in milliseconds: the grid ends after the first, and the comparison before the rest is over. */
export const quickBudget = { gridMs: 60_000, allMs: 100_000 } as const;

/** How often the best setting and the default are measured beside each other, at each load. */
export function finalPairsOf({ repeats }: Pick<SweepOptions, "repeats">): number {
  const { least, perRepeat } = sweepLimits.finalPairs;
  return Math.max(least, perRepeat * repeats);
}

/** A parser for commander: different integers, or the word, in the order given. */
export function integersOr<Word extends string>(min: number, max: number, word: Word) {
  return (text: string): readonly (number | Word)[] =>
    distinct(text, part => (part === word ? word : integerAt(part, min, max, `, or "${word}"`)));
}

/** A parser for commander: different integers in the order given. */
export function integersAsGiven(min: number, max: number) {
  return (text: string): readonly number[] => distinct(text, part => integerAt(part, min, max, ""));
}

/** A parser for commander: different words of a list. */
export function wordsAmong<Word extends string>(words: readonly Word[]) {
  return (text: string): readonly Word[] =>
    distinct(text, part => {
      const found = words.find(word => word === part);
      if (found !== undefined) return found;
      throw new InvalidArgumentError(`There is no "${part}". Allowed are ${words.join(", ")}.`);
    });
}

function distinct<Value>(text: string, parse: (part: string) => Value): Value[] {
  return [...new Set(text.split(",").map(part => parse(part.trim())))];
}

function integerAt(part: string, min: number, max: number, or: string): number {
  const value = /^\d+$/.test(part) ? Number(part) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(
    `"${part}" is none of its values: integers from ${min} to ${max}${or}, with commas between them.`,
  );
}
