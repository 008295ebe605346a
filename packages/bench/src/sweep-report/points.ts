import { keyOf, type RowLine, type Settings } from "../results/format.js";
import type { ResultFile } from "../results/reader.js";
import { median } from "../results/statistics.js";
import { type Dimension, type DimensionValue, describe, dimensions } from "./dimensions.js";

/** A file of results, and the letter by which the page calls it; no letter when it is the only one. */
export interface LabelledFile {
  readonly label: string;
  readonly results: ResultFile;
}

/** All rows of a file that were measured with the same settings. */
export interface Point {
  readonly file: string;
  readonly settings: Settings;
  readonly rows: readonly RowLine[];
  /** The median of the rows. */
  readonly commitsPerSecond: number;
}

/** Points that differ only in what their chart shows. */
export interface Panel {
  /** What tells it from other panels; empty when it is the only one. */
  readonly label: string;
  readonly points: readonly Point[];
}

/** The rows' points in the order of their settings; the same settings of several files are neighbours. */
export function pointsOf(files: readonly LabelledFile[]): Point[] {
  const points = files.flatMap(({ label, results }) =>
    [...groupBy(results.rows, row => keyOf(row.settings)).values()].map(rows => ({
      file: label,
      settings: rows[0]!.settings,
      rows,
      commitsPerSecond: medianOf(rows, row => row.commitsPerSecond),
    })),
  );
  const [file, ...settings] = dimensions;
  return points.sort((a, b) => compareBy([...settings, file], a, b));
}

export function medianOf(rows: readonly RowLine[], read: (row: RowLine) => number): number {
  return median(rows.map(read)) ?? 0;
}

/** The settings in which points differ. */
export function varying(points: readonly Point[]): Dimension[] {
  return dimensions.filter(dimension => new Set(points.map(point => settingOf(point, dimension))).size > 1);
}

export function settingOf(point: Point, dimension: Dimension): DimensionValue {
  return dimension === "file" ? point.file : point.settings[dimension];
}

/** The different values of a setting, in their order. */
export function valuesOf(points: readonly Point[], dimension: Dimension): DimensionValue[] {
  return [...new Set(points.map(point => settingOf(point, dimension)))].sort(compareValues);
}

/** What of the point's settings is worth saying: `64 B, batch 16`. */
export function labelOf(point: Point, of: readonly Dimension[]): string {
  const isShort = isAdaptive(point) && of.includes("batch") && of.includes("pipeline");
  const told = isShort ? of.filter(dimension => dimension !== "batch" && dimension !== "pipeline") : of;
  const words = told.map(dimension => describe(dimension, settingOf(point, dimension)));
  return [...words, isShort ? "adaptive" : ""].filter(text => text !== "").join(", ");
}

/** One panel for each combination of all settings but those that the chart shows. */
export function panelsOf(points: readonly Point[], shown: readonly Dimension[]): Panel[] {
  const rest = varying(points).filter(dimension => !shown.includes(dimension));
  const groups = groupBy(points, point => keyBy(point, rest));
  return [...groups.values()].map(group => ({ label: labelOf(group[0]!, rest), points: group }));
}

/** The panels that differ in nothing but their file, itself among them: they get the same scales. */
export function beside(panel: Panel, panels: readonly Panel[], shown: readonly Dimension[]): Panel[] {
  const all = panels.flatMap(({ points }) => points);
  const rest = varying(all).filter(dimension => dimension !== "file" && !shown.includes(dimension));
  const keyOfPanel = ({ points }: Panel) => keyBy(points[0]!, rest);
  return panels.filter(other => keyOfPanel(other) === keyOfPanel(panel));
}

/** The same text for points that are the same in these settings. */
function keyBy(point: Point, by: readonly Dimension[]): string {
  return JSON.stringify(by.map(dimension => settingOf(point, dimension)));
}

export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** Those with the most commits per second, in the order in which they came. */
export function fastest<T>(values: readonly T[], max: number, rateOf: (value: T) => number): T[] {
  const kept = new Set([...values].sort((a, b) => rateOf(b) - rateOf(a)).slice(0, max));
  return values.filter(value => kept.has(value));
}

/**
 * Those to look at closely: of each panel the fastest batch and pipeline, and while there is room the adaptive default;
 * all if they are few. Of too many panels some are taken, from the first to the last.
 */
export function highlights(points: readonly Point[], max: number): Point[] {
  if (points.length <= max) return [...points];
  const panels = spread(panelsOf(points, ["batch", "pipeline"]), max);
  const best = panels.flatMap(panel => fastest(panel.points, 1, point => point.commitsPerSecond));
  const defaults = panels.flatMap(panel =>
    panel.points.filter(point => isAdaptive(point) && !best.includes(point)),
  );
  const chosen = [...best, ...spread(defaults, max - best.length)];
  return points.filter(point => chosen.includes(point));
}

/** The first, the last, and as many between them as there is room for, at even distances. */
export function spread<T>(values: readonly T[], max: number): T[] {
  if (values.length <= max) return [...values];
  const step = (values.length - 1) / Math.max(1, max - 1);
  return Array.from({ length: Math.max(0, max) }, (_, index) => values[Math.round(index * step)]!);
}

export function isAdaptive({ settings }: Point): boolean {
  return settings.batch === "adaptive" && settings.pipeline === "adaptive";
}

function compareBy(by: readonly Dimension[], a: Point, b: Point): number {
  for (const dimension of by) {
    const order = compareValues(settingOf(a, dimension), settingOf(b, dimension));
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers ascend, words follow them. */
function compareValues(a: DimensionValue, b: DimensionValue): number {
  if (a === b) return 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || b === null) return -1;
  if (typeof b === "number" || a === null) return 1;
  return a < b ? -1 : 1;
}
