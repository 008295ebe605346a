import { median } from "../results/statistics.js";
import { baseId, noiseId, type Subject } from "./catalogue.js";
import type { MeasuredSlice } from "./rival.js";

/** One measured slice. */
export interface Turn extends MeasuredSlice {
  readonly id: string;
  readonly clients: number;
  /** From 1 on; slices of one repeat were measured one after the other. */
  readonly repeat: number;
  /** Cores that the subject kept busy; null where the system does not say. */
  readonly cores: number | null;
  /** Cores that everything else kept busy meanwhile, the other subjects included. */
  readonly coresBesides: number | null;
}

/** Over the repeats. */
export interface Range {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface ComparisonRow {
  readonly id: string;
  readonly clients: number;
  readonly commitsPerSecond: Range;
  /** Medians over the repeats, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cores: number | null;
  /** Commits per second by those of Synod in the same repeat. */
  readonly ratioToSynod: Range;
}

export interface Comparison {
  readonly subjects: readonly (Subject & { readonly details: string })[];
  readonly skipped: readonly { readonly id: string; readonly title: string; readonly reason: string }[];
  readonly rows: readonly ComparisonRow[];
  /** Least and most that Synod's ratio to itself came to: what is within says nothing. */
  readonly noise: readonly { readonly clients: number; readonly ratio: Range }[];
  /** The median, over all slices, of the cores that something else kept busy; null where the system does not say. */
  readonly coresBesides: number | null;
  readonly turns: readonly Turn[];
}

export function comparisonOf(found: {
  readonly subjects: readonly { readonly subject: Subject; readonly details: string }[];
  readonly skipped: Comparison["skipped"];
  readonly turns: readonly Turn[];
}): Comparison {
  const numbers = [...new Set(found.turns.map(({ clients }) => clients))];
  const rows = numbers.flatMap(clients =>
    found.subjects.map(({ subject }) => rowOf(subject.id, clients, found.turns)),
  );
  const noise = rows
    .filter(({ id }) => id === noiseId)
    .map(({ clients, ratioToSynod }) => ({ clients, ratio: ratioToSynod }));
  return {
    subjects: found.subjects.map(({ subject, details }) => ({ ...subject, details })),
    skipped: found.skipped,
    rows,
    noise,
    coresBesides: medianOf(found.turns.map(({ coresBesides }) => coresBesides)),
    turns: found.turns,
  };
}

function rowOf(id: string, clients: number, turns: readonly Turn[]): ComparisonRow {
  const own = turns.filter(turn => turn.id === id && turn.clients === clients);
  const base = turns.filter(turn => turn.id === baseId && turn.clients === clients);
  const ratios = own.map(turn => {
    const beside = base.find(({ repeat }) => repeat === turn.repeat);
    return beside === undefined ? Number.NaN : rateOf(turn) / rateOf(beside);
  });
  return {
    id,
    clients,
    commitsPerSecond: rangeOf(own.map(rateOf)),
    p50Ms: median(own.map(({ latencyMs }) => latencyMs.p50)) ?? Number.NaN,
    p99Ms: median(own.map(({ latencyMs }) => latencyMs.p99)) ?? Number.NaN,
    cores: medianOf(own.map(({ cores }) => cores)),
    ratioToSynod: rangeOf(ratios),
  };
}

function rateOf({ commits, durationMs }: Turn): number {
  return (commits * 1000) / durationMs;
}

function rangeOf(values: readonly number[]): Range {
  return { median: median(values) ?? Number.NaN, least: Math.min(...values), most: Math.max(...values) };
}

/** Null where one of them is. */
function medianOf(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length < values.length ? null : median(known);
}
