import Module from "node:module";
import { type Client, Cluster, type SynodError } from "@synod/runtime";
import { type PrometheusMetrics, prometheusMetrics } from "@synod/runtime/prometheus";
import * as promClient from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterSeries } from "../../dist/metrics/series.js";
import { type AnyMachine, machine } from "../support.js";

let cluster: Cluster<AnyMachine>;
let client: Client<AnyMachine>;
let exported: PrometheusMetrics;
const register = new promClient.Registry();

beforeAll(async () => {
  cluster = await Cluster.start<AnyMachine>({ stateMachine: machine });
  client = await cluster.connect();
  exported = prometheusMetrics(cluster, { register });
  await Promise.all(Array.from({ length: 300 }, (_, id) => client.propose({ id })));
});
afterAll(() => cluster.close());

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

/**
 * Reads the text format by its grammar, as far as it is used here: each family has a HELP and a TYPE line, then its
 * samples. Anything else fails.
 */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const lines = text.split("\n").filter(line => line !== "");
  let current: Family | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const [, name, help] = /^# HELP ([a-z_]+) (.+)$/.exec(line) ?? [];
    if (name !== undefined && help !== undefined) {
      const [, typed, type] =
        /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(lines[++at] as string) ?? [];
      expect(typed, `the line after the HELP of ${name}`).toBe(name);
      expect(families.has(name), `${name} comes twice`).toBe(false);
      current = { type: type as string, help, samples: [] };
      families.set(name, current);
      continue;
    }
    const sample = /^([a-z_]+)(?:\{((?:[a-z_]+="[^"]*",?)*)\})? (\S+)$/.exec(line);
    expect(sample, `${line} is a sample`).not.toBeNull();
    const pairs = [...(sample?.[2] ?? "").matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key, value]) => [
      key,
      value,
    ]);
    current?.samples.push({
      name: sample?.[1] as string,
      labels: Object.fromEntries(pairs),
      value: Number(sample?.[3]),
    });
  }
  return families;
}

async function scrape(): Promise<Map<string, Family>> {
  return parse(await exported.register.metrics());
}

/** The value of the sample with this name and just these labels. */
function sampleOf(
  families: Map<string, Family>,
  family: string,
  labels: Sample["labels"],
  suffix = "",
): number {
  const samples = families.get(family)?.samples ?? [];
  const found = samples.filter(
    sample =>
      sample.name === family + suffix &&
      Object.keys(sample.labels).length === Object.keys(labels).length &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  expect(found.length, `samples of ${family}${suffix} with ${JSON.stringify(labels)}`).toBe(1);
  return found[0]?.value as number;
}

/** What an exported function throws. */
function errorOf(call: () => unknown): SynodError {
  try {
    call();
  } catch (error) {
    return error as SynodError;
  }
  return expect.fail("it did not throw");
}

test("every metric is there, with its type and help", async () => {
  const families = await scrape();
  expect([...families.keys()].toSorted()).toEqual(
    clusterSeries.map(({ name }) => `synod_${name}`).toSorted(),
  );
  for (const { name, kind, help } of clusterSeries) {
    expect(families.get(`synod_${name}`)).toMatchObject({ type: kind, help });
  }
});

test("values are those of cluster.metrics(), with the labels actor and role, in seconds", async () => {
  const families = await scrape();
  const metrics = await cluster.metrics();
  expect(sampleOf(families, "synod_commits_total", {})).toBe(metrics.commits);
  for (const actor of metrics.actors) {
    if (actor.role !== "acceptor") continue;
    const labels = { actor: actor.name, role: "acceptor" };
    expect(sampleOf(families, "synod_accepted_commands_total", labels)).toBe(actor.acceptedCommands);
    expect(sampleOf(families, "synod_accept_seconds", labels, "_count")).toBe(actor.acceptMs.count);
    expect(sampleOf(families, "synod_accept_seconds", labels, "_sum")).toBeCloseTo(
      actor.acceptMs.sum / 1000,
      9,
    );
  }
  // A metric that proposers and learners have, in one series.
  const roles = families.get("synod_chosen_below")?.samples.map(({ labels: { role } }) => role);
  expect(new Set(roles)).toEqual(new Set(["proposer", "learner"]));
  expect(sampleOf(families, "synod_client_answered_commands_total", { client: client.name })).toBe(300);
});

test("the buckets of a histogram grow, and the last one holds everything", async () => {
  const families = await scrape();
  const leader = (await cluster.metrics()).actors.find(
    actor => actor.role === "proposer" && actor.leads === 1,
  );
  if (leader?.role !== "proposer") expect.fail("nobody leads");
  const { name, batchCommands } = leader;
  const bucket = (le: number | "+Inf") =>
    sampleOf(families, "synod_batch_commands", { actor: name, role: "proposer", le: String(le) }, "_bucket");
  let before = 0;
  for (let le = 1; le <= 16_384; le *= 2) {
    const below = batchCommands.buckets.filter(({ upTo }) => upTo <= le);
    expect(bucket(le)).toBe(below.reduce((all, { count }) => all + count, 0));
    expect(bucket(le)).toBeGreaterThanOrEqual(before);
    before = bucket(le);
  }
  expect(bucket("+Inf")).toBe(batchCommands.count);
  expect(before).toBeGreaterThan(0);
});

test("one scrape looks at the cluster once", async () => {
  let looks = 0;
  const { metrics } = cluster;
  cluster.metrics = () => {
    looks += 1;
    return metrics.call(cluster);
  };
  await exported.register.metrics();
  await register.getMetricsAsJSON();
  Reflect.deleteProperty(cluster, "metrics");
  expect(looks).toBe(2);
});

test("a registry of the OpenMetrics kind, a prefix and default labels work", async () => {
  const register = new promClient.Registry();
  register.setContentType(promClient.Registry.OPENMETRICS_CONTENT_TYPE as never);
  register.setDefaultLabels({ service: "shop" });
  const { remove } = prometheusMetrics(cluster, { register, prefix: "shop_" });
  const text = await register.metrics();
  expect(text).toMatch(/^# TYPE shop_commits counter\nshop_commits_total\{service="shop"\} \d+$/m);
  expect(text).toMatch(
    /^shop_accept_seconds_bucket\{actor="acceptor-0",role="acceptor",le="0.000016",service="shop"\} \d+$/m,
  );
  expect(text).toMatch(/# EOF\n$/);
  remove();
  expect(await register.metrics()).toBe("\n# EOF\n");
});

test("names that are taken and prefixes that are none are refused", () => {
  const again = errorOf(() => prometheusMetrics(cluster, { register: exported.register }));
  expect(again).toMatchObject({ code: "INVALID_OPTIONS", path: "prefix" });
  expect(again.message).toContain("synod_commits_total");
  const register = new promClient.Registry();
  expect(errorOf(() => prometheusMetrics(cluster, { register, prefix: "1 " })).code).toBe("INVALID_OPTIONS");
  expect(register.getMetricsAsArray()).toEqual([]);
});

test("without prom-client the error says what to install", () => {
  // biome-ignore lint/suspicious/noExplicitAny: the resolver has no types
  const loader = Module as any;
  const resolve = loader._resolveFilename;
  loader._resolveFilename = (request: string, ...more: unknown[]) => {
    if (request !== "prom-client") return resolve(request, ...more);
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: "MODULE_NOT_FOUND" });
  };
  try {
    const error = errorOf(() => prometheusMetrics(cluster));
    expect(error.code).toBe("DEPENDENCY_MISSING");
    expect(error.message).toContain("npm i prom-client@15");
  } finally {
    loader._resolveFilename = resolve;
  }
});

test("a cluster that is closed leaves names without values, until they are removed", async () => {
  const other = await Cluster.start<AnyMachine>({
    stateMachine: machine,
    proposers: 1,
    acceptors: 1,
    learners: 1,
  });
  const register = new promClient.Registry();
  const { remove } = prometheusMetrics(other, { register });
  await other.close();
  expect(await register.metrics()).not.toMatch(/^[^#\n]/m);
  remove();
  expect(register.getMetricsAsArray()).toEqual([]);
});
