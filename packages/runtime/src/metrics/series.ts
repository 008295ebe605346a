/** The metrics of a cluster as Prometheus wants them: one name for each, labels, seconds, cumulative buckets. */
import {
  actorMetrics,
  clientMetrics,
  clusterMetrics,
  type MetricDefinition,
  type MetricKind,
  roleMetrics,
  unitOf,
} from "./definitions.js";
import type { HistogramSnapshot } from "./histogram.js";
import type { ClusterMetrics } from "./snapshot.js";

/** One value of a series; a histogram has several, told apart by `suffix`. */
export interface SeriesValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

/** One metric of Prometheus. */
export interface Series {
  /** Without the prefix. */
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  readonly labelNames: readonly string[];
  read(metrics: ClusterMetrics): SeriesValue[];
}

/** Upper bounds of buckets, in the metric's unit: each is twice the one before, where buckets end anyway. */
const powersOfTwo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => 2 ** (from + index));
/** 16 microseconds to 16.8 seconds; 1 to 16,384 commands; 64 bytes to 16 MiB. */
const boundsOf = {
  ms: powersOfTwo(4, 24).map(microseconds => microseconds / 1000),
  none: powersOfTwo(0, 14),
  bytes: powersOfTwo(6, 24),
} as const;

/** `acceptMs` is `accept_seconds`, `sentBytes` as a counter `sent_bytes_total`. */
export function prometheusName(name: string, kind: MetricKind): string {
  const { stem, unit } = unitOf(name);
  const words = [stem.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)];
  if (name.endsWith("Max")) words.push("max");
  if (unit !== "none") words.push(unit === "ms" ? "seconds" : "bytes");
  if (kind === "counter") words.push("total");
  return words.join("_");
}

type Labels = Readonly<Record<string, string>>;
type Holder = Readonly<Record<string, unknown>>;

/** Series of one table, of whatever has the values: with the labels that tell them apart. */
function seriesOf(
  table: Readonly<Record<string, MetricDefinition>>,
  labelNames: readonly string[],
  holdersOf: (metrics: ClusterMetrics) => readonly (readonly [Labels, Holder])[],
  prefix = "",
): Series[] {
  return Object.entries(table).map(([metric, { kind, help }]) => ({
    name: prefix + prometheusName(metric, kind),
    kind,
    help,
    labelNames,
    read: metrics =>
      holdersOf(metrics).flatMap(([labels, holder]) => valuesOf(metric, labels, holder[metric])),
  }));
}

/** No values of a gauge that is not known. */
function valuesOf(metric: string, labels: Labels, value: unknown): SeriesValue[] {
  const { unit } = unitOf(metric);
  const scale = unit === "ms" ? 1 / 1000 : 1;
  if (typeof value === "number") return [{ labels, value: value * scale }];
  if (value === null || value === undefined) return [];
  const histogram = value as HistogramSnapshot;
  return [
    ...bucketsOf(histogram, boundsOf[unit], labels, unit === "ms"),
    { labels, value: histogram.sum * scale, suffix: "_sum" },
    { labels, value: histogram.count, suffix: "_count" },
  ];
}

function bucketsOf(
  { buckets, count }: HistogramSnapshot,
  bounds: readonly number[],
  labels: Labels,
  inSeconds: boolean,
): SeriesValue[] {
  let next = 0;
  let below = 0;
  const values: SeriesValue[] = bounds.map(bound => {
    for (let bucket = buckets[next]; bucket !== undefined && bucket.upTo <= bound; bucket = buckets[next]) {
      below += bucket.count;
      next += 1;
    }
    // A division by 1,000 would leave digits that nobody wants to read.
    const le = inSeconds ? Number((bound / 1000).toPrecision(12)) : bound;
    return { labels: { ...labels, le }, value: below, suffix: "_bucket" };
  });
  values.push({ labels: { ...labels, le: "+Inf" }, value: count, suffix: "_bucket" });
  return values;
}

const actorLabels = ["actor", "role"] as const;
const actorsOf =
  (...roles: readonly string[]) =>
  ({ actors }: ClusterMetrics) =>
    actors
      .filter(({ role }) => roles.length === 0 || roles.includes(role))
      .map(actor => [{ actor: actor.name, role: actor.role }, actor] as const);

/** Metrics that several roles have under one name are one series. */
function roleSeries(): Series[] {
  const rolesOf = new Map<string, { readonly definition: MetricDefinition; readonly roles: string[] }>();
  for (const [role, table] of Object.entries(roleMetrics)) {
    for (const [metric, definition] of Object.entries(table)) {
      const known = rolesOf.get(metric);
      if (known === undefined) rolesOf.set(metric, { definition, roles: [role] });
      else known.roles.push(role);
    }
  }
  return [...rolesOf].flatMap(([metric, { definition, roles }]) =>
    seriesOf({ [metric]: definition }, actorLabels, actorsOf(...roles)),
  );
}

const eventLoopSeries: Series = {
  name: "event_loop_delay_seconds",
  kind: "gauge",
  help: "How late the event loop of the cluster's thread was since the scrape before, by quantile; 1 is the most.",
  labelNames: ["quantile"],
  read: ({ eventLoopDelay: delay }) =>
    delay === null
      ? []
      : [
          { labels: { quantile: "0.5" }, value: delay.p50Ms / 1000 },
          { labels: { quantile: "0.99" }, value: delay.p99Ms / 1000 },
          { labels: { quantile: "1" }, value: delay.maxMs / 1000 },
        ],
};

export const clusterSeries: readonly Series[] = [
  ...seriesOf(clusterMetrics, [], metrics => [[{}, metrics]]),
  ...seriesOf(actorMetrics, actorLabels, actorsOf()),
  ...roleSeries(),
  ...seriesOf(
    clientMetrics,
    ["client"],
    ({ clients }) => clients.map(client => [{ client: client.name }, client] as const),
    "client_",
  ),
  eventLoopSeries,
];
