import { createRequire } from "node:module";
import type * as PromClient from "prom-client";
import type { Cluster } from "./cluster.js";
import { SynodError } from "./errors.js";
import { clusterSeries, type Series, type SeriesValue } from "./metrics/series.js";
import type { ClusterMetrics } from "./metrics/snapshot.js";
import type { AnyStateMachine } from "./state-machine.js";

/**
 * A registry of prom-client, as far as it is needed here: `Registry` of the installed version is one. So that these
 * types hold without prom-client.
 */
export interface PrometheusRegistry {
  /** What an HTTP response with the text is to have for its `content-type`. */
  readonly contentType: string;
  /** The text for Prometheus, of all that is registered. */
  metrics(): Promise<string>;
  /** Adds one of prom-client's metrics. */
  registerMetric(metric: never): void;
  /** The metric of a name; undefined when there is none. */
  getSingleMetric(name: string): unknown;
  /** Takes a metric out again. */
  removeSingleMetric(name: string): void;
}

/** Options of {@link prometheusMetrics}. */
export interface PrometheusOptions {
  /** Where the metrics are registered; prom-client's own global registry when left out. */
  readonly register?: PrometheusRegistry;
  /** What each name begins with; `synod_`. Clusters that share a registry need one each. */
  readonly prefix?: string;
}

/** What {@link prometheusMetrics} has registered. */
export interface PrometheusMetrics {
  /** Where they are registered. */
  readonly register: PrometheusRegistry;
  /** Takes the metrics out of the registry. */
  remove(): void;
}

/**
 * Registers all metrics of a cluster with prom-client, which must be installed. They are read when they are asked for:
 * each scrape calls `cluster.metrics()` once. A cluster that is closed has no values any more; `remove()` takes their
 * names out of the registry as well.
 *
 * @throws SynodError `DEPENDENCY_MISSING` without prom-client, `INVALID_OPTIONS` for names that are registered already
 *   or a prefix with which they are none
 */
export function prometheusMetrics<M extends AnyStateMachine>(
  cluster: Cluster<M>,
  options: PrometheusOptions = {},
): PrometheusMetrics {
  const client = loadPromClient();
  const register: PrometheusRegistry = options.register ?? client.register;
  const prefix = options.prefix ?? "synod_";
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(prefix)) {
    const message = `the option prefix is ${JSON.stringify(prefix)}; allowed are letters, digits and _, a digit not first`;
    throw new SynodError("INVALID_OPTIONS", message, { path: "prefix" });
  }
  const scrape = new Scrape(() => cluster.metrics());
  const named = clusterSeries.map(series => ({ name: prefix + series.name, series }));
  const taken = named.find(({ name }) => register.getSingleMetric(name) !== undefined);
  if (taken !== undefined) {
    const message = `the registry has a metric ${taken.name} already: give each cluster a prefix of its own, or remove() the former one's`;
    throw new SynodError("INVALID_OPTIONS", message, { path: "prefix" });
  }
  for (const { name, series } of named) {
    register.registerMetric(metricOf(client, name, series, scrape) as never);
  }
  return {
    register,
    remove: () => {
      for (const { name } of named) register.removeSingleMetric(name);
    },
  };
}

function loadPromClient(): typeof PromClient {
  try {
    // Found from here, as an import would be; and only when it is wanted.
    return createRequire(import.meta.url)("prom-client") as typeof PromClient;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw cause;
    const message =
      "prometheusMetrics() needs the package prom-client, which is not installed: npm i prom-client@15";
    throw new SynodError("DEPENDENCY_MISSING", message, { cause });
  }
}

/** The metrics of a registry are asked one by one, in one turn: they share what one look at the cluster gives. */
class Scrape {
  readonly #look: () => Promise<ClusterMetrics>;
  #current: Promise<ClusterMetrics | undefined> | undefined;

  constructor(look: () => Promise<ClusterMetrics>) {
    this.#look = look;
  }

  /** Undefined once the cluster is closed. */
  metrics(): Promise<ClusterMetrics | undefined> {
    this.#current ??= this.#read();
    return this.#current;
  }

  async #read(): Promise<ClusterMetrics | undefined> {
    try {
      return await this.#look();
    } catch (error) {
      if (error instanceof SynodError && error.code === "CLUSTER_CLOSED") return undefined;
      throw error;
    } finally {
      this.#current = undefined;
    }
  }
}

/**
 * A metric of prom-client with values that are counted elsewhere. Only what is said of it is prom-client's: counters
 * can be set there by adding to them, and histograms not at all.
 */
function metricOf(
  client: typeof PromClient,
  name: string,
  series: Series,
  scrape: Scrape,
): PromClient.Metric {
  const { help, kind, labelNames } = series;
  const configuration = { name, help, labelNames: [...labelNames], registers: [] };
  const metric = makeMetric(client, kind, configuration);
  const get = async () => {
    const metrics = await scrape.metrics();
    const values = metrics === undefined ? [] : series.read(metrics);
    // A registry of the OpenMetrics kind changes a counter's name.
    const named = values.map(value => withName(metric as unknown as Named, value));
    return { name: (metric as unknown as Named).name, help, type: kind, values: named, aggregator: "sum" };
  };
  // A registry that finds getForPromString() calls it instead of get().
  return Object.assign(metric, {
    get,
    getForPromString: undefined,
    reset: () => undefined,
  }) as PromClient.Metric;
}

function makeMetric(
  client: typeof PromClient,
  kind: Series["kind"],
  configuration: { name: string; help: string; labelNames: string[]; registers: PromClient.Registry[] },
): PromClient.Metric {
  switch (kind) {
    case "counter":
      return new client.Counter(configuration);
    case "gauge":
      return new client.Gauge(configuration);
    case "histogram":
      return new client.Histogram(configuration);
  }
}

interface Named {
  readonly name: string;
}

function withName({ name }: Named, { suffix, labels, value }: SeriesValue) {
  return suffix === undefined ? { labels, value } : { labels, value, metricName: name + suffix };
}
