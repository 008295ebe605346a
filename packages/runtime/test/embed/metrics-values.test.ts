import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ActorMetrics, createMetricsMemory } from "../../dist/metrics/actor-metrics.js";
import { ClientMeter } from "../../dist/metrics/client-meter.js";
import {
  actorMetrics,
  clientMetrics,
  clusterMetrics,
  type MetricDefinition,
  roleMetrics,
} from "../../dist/metrics/definitions.js";
import { Histogram, quantileOf } from "../../dist/metrics/histogram.js";
import { clusterSeries, prometheusName } from "../../dist/metrics/series.js";
import { TrafficCounters } from "../../dist/traffic.js";

const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 30 })), {
  minLength: 1,
  maxLength: 200,
});

describe("a histogram", () => {
  test("holds every value in a bucket that is a quarter wide at most", () => {
    fc.assert(
      fc.property(values, recorded => {
        const histogram = new Histogram(1);
        for (const value of recorded) histogram.record(value);
        const { count, sum, max, buckets } = histogram.read();
        expect(count).toBe(recorded.length);
        expect(sum).toBe(recorded.reduce((all, value) => all + value, 0));
        expect(max).toBe(Math.max(...recorded));
        const sorted = recorded.toSorted((a, b) => a - b);
        let next = 0;
        for (const bucket of buckets) {
          for (const value of sorted.slice(next, next + bucket.count)) {
            expect(value).toBeLessThanOrEqual(bucket.upTo);
            // Up to 4 each number has a bucket of its own; 0 shares that of 1.
            expect(value).toBeGreaterThan(value < 4 ? bucket.upTo - 2 : bucket.upTo * 0.79);
          }
          next += bucket.count;
        }
        expect(next).toBe(recorded.length);
      }),
    );
  });

  test("knows a quantile by the bucket that it falls into", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, part) => {
        const histogram = new Histogram(1);
        for (const value of recorded) histogram.record(value);
        const sorted = recorded.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] as number;
        const found = quantileOf(histogram.read(), part);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(Math.max(exact * 1.26, 1));
      }),
    );
  });

  test("tells durations apart by the microsecond, and takes what it cannot hold for the largest", () => {
    const histogram = new Histogram(1000);
    for (const ms of [0.0005, 0.0015, 0.002, -3, 1e9]) histogram.record(ms);
    const { count, max, buckets } = histogram.read();
    expect(count).toBe(5);
    expect(max).toBe(1e9);
    expect(buckets.map(({ upTo, count }) => [upTo, count])).toEqual([
      [0.001, 2],
      [0.002, 2],
      [2 ** 31 / 1000, 1],
    ]);
  });

  test("has a bucket that ends at each power of two, where the buckets for Prometheus end", () => {
    for (let power = 0; power <= 30; power++) {
      const histogram = new Histogram(1);
      histogram.record(2 ** power);
      expect(histogram.read().buckets).toEqual([{ upTo: 2 ** power, count: 1 }]);
    }
  });

  test("of nothing has quantiles of 0, and a part must be one", () => {
    const empty = new Histogram(1).read();
    expect(quantileOf(empty, 0.5)).toBe(0);
    expect(() => quantileOf(empty, 99)).toThrow(RangeError);
    expect(() => quantileOf(empty, Number.NaN)).toThrow(RangeError);
  });
});

test("an actor's next life goes on counting where the one before has stopped", () => {
  const memory = createMetricsMemory();
  const first = new ActorMetrics(memory);
  first.counter("acceptedBatches").add(3);
  first.counter("sentFrames").raise(10);
  first.histogram("turnMs").record(2);
  first.sawDepth(100);
  const second = new ActorMetrics(memory);
  second.counter("acceptedBatches").add(1);
  second.counter("sentFrames").raise(4);
  second.histogram("turnMs").record(3);
  second.sawDepth(50);
  expect(first.counter("acceptedBatches").value).toBe(4);
  expect(first.counter("sentFrames").value).toBe(10);
  expect(first.histogram("turnMs").read()).toMatchObject({ count: 2, sum: 5, max: 3 });
  expect(first.depthBytesMax).toBe(100);
});

describe("a client times one command at a time", () => {
  const open = { openCommands: 0, queuedCommands: 0, queuedBytes: 0, openQueries: 0 };
  const inbox = { frames: 0, bytes: 0, wakeUps: 0, calls: 0, lostWakeUps: 0 };
  const read = (meter: ClientMeter) => meter.read("client-1", open, inbox, new TrafficCounters());

  test("until the answer of the batch that it left in", () => {
    let now = 110;
    const meter = new ClientMeter(() => now);
    meter.proposed(7, 100);
    expect(meter.wantsCommand).toBe(false);
    meter.sent(7, 6, 7);
    meter.answered(0, 7);
    expect(meter.wantsCommand).toBe(false);
    meter.sent(2, 8, 9);
    now = 130;
    meter.answered(7, 2);
    expect(meter.wantsCommand).toBe(true);
    expect(read(meter).proposeMs).toMatchObject({ count: 1, sum: 30 });
    expect(read(meter)).toMatchObject({ sentCommands: 9, answeredCommands: 9 });
  });

  test("unless it was cancelled before it left, or given up later", () => {
    const meter = new ClientMeter(() => 900);
    meter.proposed(0, 100);
    meter.cancelled(true);
    expect(meter.wantsCommand).toBe(true);
    meter.proposed(1, 200);
    meter.sent(1, 0, 2);
    meter.cancelled(true);
    expect(meter.wantsCommand).toBe(false);
    meter.answered(1, 5);
    expect(meter.wantsCommand).toBe(true);
    expect(read(meter).proposeMs.count).toBe(0);
  });
});

describe("the names for Prometheus", () => {
  test("are those that people expect", () => {
    const kinds = Object.fromEntries(clusterSeries.map(({ name, kind }) => [name, kind]));
    expect(kinds).toMatchObject({
      commits_total: "counter",
      up: "gauge",
      sent_bytes_total: "counter",
      accept_seconds: "histogram",
      batch_commands: "histogram",
      mailbox_depth_max_bytes: "gauge",
      client_propose_seconds: "histogram",
      lease_left_seconds: "gauge",
    });
    for (const { name, kind } of clusterSeries) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name.endsWith("_total"), name).toBe(kind === "counter");
      expect(name).not.toMatch(/ms$|_milli/);
    }
  });

  test("are all different, and there is one for every metric", () => {
    const names = clusterSeries.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const ofRoles = new Set(Object.values(roleMetrics).flatMap(table => Object.keys(table)));
    const tables = [clusterMetrics, actorMetrics, clientMetrics].flatMap(table => Object.keys(table));
    // One more for the event loop.
    expect(names.length).toBe(tables.length + ofRoles.size + 1);
  });
});

test("the guide has a row for every metric, with its kind, its name for Prometheus and its help", () => {
  const guide = readFileSync(new URL("../../../../docs/guide/observability.md", import.meta.url), "utf8");
  const rows = guide.split("\n").filter(line => /^\| `\w+` \| (?:counter|gauge|histogram) \|/.test(line));
  const rowsOf = (table: Readonly<Record<string, MetricDefinition>>, prefix: string) =>
    Object.entries(table).map(
      ([name, { kind, help }]) =>
        `| \`${name}\` | ${kind} | \`${prefix}${prometheusName(name, kind)}\` | ${help} |`,
    );
  expect(rows).toEqual([
    ...rowsOf(clusterMetrics, "synod_"),
    ...rowsOf(actorMetrics, "synod_"),
    ...Object.values(roleMetrics).flatMap(table => rowsOf(table, "synod_")),
    ...rowsOf(clientMetrics, "synod_client_"),
  ]);
});
