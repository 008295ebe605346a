import type { AppliedAt } from "@synod/runtime";
import { type BucketLimit, Counters, type CountersCommand, type Taken } from "@synod/runtime/counters";
import { checkStateMachine } from "@synod/runtime/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agreesWithModel, Log, seed } from "./support.js";

const names = ["a", "b", "c"];
const unitsPerToken = 10n ** 9n;
/** Rates that divide badly, are slow, or are as fast as can be told in milliseconds. */
const limits: BucketLimit[] = [
  { tokens: 1, capacity: 2, refillPerSecond: 50 / 60 },
  { tokens: 2, capacity: 5, refillPerSecond: 7 },
  { tokens: 1, capacity: 1, refillPerSecond: 1000 },
  { tokens: 3, capacity: 4, refillPerSecond: 3.333333 },
];

/** Buckets are integers without bound, filled millisecond by millisecond, and nothing is forgotten. */
class Model {
  readonly values = new Map<string, number>();
  readonly buckets = new Map<string, { missing: bigint; sinceMs: number; perMs: bigint }>();

  apply(command: CountersCommand, at: AppliedAt): number | Taken {
    const { key } = command;
    const value = this.values.get(key) ?? 0;
    switch (command.op) {
      case "add":
        this.values.set(key, value + (command.by ?? 1));
        return value + (command.by ?? 1);
      case "reset":
        this.values.delete(key);
        return value;
      case "take": {
        const missing = this.missing(key, at.timeMs);
        const taken = this.peek(key, command, at.timeMs);
        const spent = taken.allowed ? BigInt(command.tokens) * unitsPerToken : 0n;
        const perMs = BigInt(Math.round(command.refillPerSecond * 1e6));
        this.buckets.set(key, { missing: missing + spent, sinceMs: Math.floor(at.timeMs), perMs });
        return taken;
      }
    }
  }

  missing(key: string, timeMs: number): bigint {
    const bucket = this.buckets.get(key);
    if (bucket === undefined) return 0n;
    let { missing } = bucket;
    for (let ms = bucket.sinceMs; ms < Math.floor(timeMs) && missing > 0n; ms++) missing -= bucket.perMs;
    return missing > 0n ? missing : 0n;
  }

  peek(key: string, { tokens, capacity, refillPerSecond }: BucketLimit, timeMs: number): Taken {
    let missing = this.missing(key, timeMs);
    const wanted = BigInt(tokens) * unitsPerToken;
    const full = BigInt(capacity) * unitsPerToken;
    const allowed = missing + wanted <= full;
    const left = full - missing - (allowed ? wanted : 0n);
    let retryAfterMs = 0;
    for (; missing + wanted > full; retryAfterMs++) missing -= BigInt(Math.round(refillPerSecond * 1e6));
    return { allowed, remaining: Number(left > 0n ? left / unitsPerToken : 0n), retryAfterMs };
  }
}

const key = fc.constantFrom(...names);
const command: fc.Arbitrary<CountersCommand> = fc.oneof(
  fc.record(
    { op: fc.constant("add" as const), key, by: fc.integer({ min: -2, max: 2 }) },
    {
      requiredKeys: ["op", "key"],
    },
  ),
  fc.record({ op: fc.constant("reset" as const), key }),
  fc.tuple(key, fc.constantFrom(...limits)).map(([key, limit]) => ({ op: "take" as const, key, ...limit })),
  fc.constant({ op: "take" as const, key: "a", ...(limits[1] as BucketLimit) }),
);

test("does what a model does that counts in unbounded integers", () =>
  agreesWithModel({
    create: () => new Counters(),
    createModel: () => new Model(),
    command,
    gapMsMax: 300,
    read: (counters, timeMs) => ({
      values: names.map(name => counters.get(name)),
      takes: limits.map(limit => counters.peek("a", limit, timeMs)),
      size: counters.size(timeMs),
    }),
    readModel: (model, timeMs) => ({
      values: names.map(name => model.values.get(name) ?? 0),
      takes: limits.map(limit => model.peek("a", limit, timeMs)),
      size: {
        counters: names.filter(name => model.values.get(name)).length,
        buckets: names.filter(name => model.missing(name, timeMs) > 0n).length,
      },
    }),
  }));

test("is deterministic, and survives snapshots and restarts", () =>
  checkStateMachine<Counters>({
    create: () => new Counters(),
    seed,
    runs: 10,
    commands: random => {
      const key = random.pick(names);
      if (random.chance(0.5)) return { op: "take", key, ...random.pick(limits) };
      return random.chance(0.3) ? { op: "reset", key } : { op: "add", key, by: random.between(-3, 3) };
    },
    queries: random => {
      const key = random.pick(names);
      if (random.chance(0.2)) return { op: "size" };
      return random.chance(0.5) ? { op: "get", key } : { op: "peek", key, ...random.pick(limits) };
    },
  }));

describe("a token bucket", () => {
  const limit = { tokens: 1, capacity: 3, refillPerSecond: 10 };
  const take = { op: "take", key: "a", ...limit } as const;

  test("begins full, refuses when it is empty, and says when to come again", () => {
    const log = new Log(new Counters());
    const takes = [1, 2, 3, 4].map(() => log.apply(take));
    expect(takes).toEqual([
      { allowed: true, remaining: 2, retryAfterMs: 0 },
      { allowed: true, remaining: 1, retryAfterMs: 0 },
      { allowed: true, remaining: 0, retryAfterMs: 0 },
      { allowed: false, remaining: 0, retryAfterMs: 100 },
    ]);
    log.timeMs += 99;
    expect(log.apply(take)).toMatchObject({ allowed: false, retryAfterMs: 1 });
    log.timeMs += 1;
    expect(log.apply(take)).toMatchObject({ allowed: true, remaining: 0 });
    expect(log.apply({ ...take, key: "b", tokens: 3 })).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("gains nothing and loses nothing, however often and in whatever pieces of time it is asked", () => {
    const log = new Log(new Counters());
    const slow = { ...take, capacity: 1, refillPerSecond: 1 / 3 };
    let allowed = 0;
    // Asked all the time for ten minutes, in steps of an eighth of a millisecond now and then.
    for (let ms = 0; ms < 600_000; ms += 150) {
      log.timeMs += 149.875;
      allowed += Number((log.apply(slow) as Taken).allowed);
      log.timeMs += 0.125;
      allowed += Number((log.apply(slow) as Taken).allowed);
    }
    // One in hand, and one each 3.000003 s, noticed at the next of the questions, 0.15 s apart.
    expect(allowed).toBe(1 + Math.floor(600_000 / 3150));
  });

  test("keeps what is missing when its limit changes", () => {
    const log = new Log(new Counters());
    log.apply({ ...take, tokens: 3 });
    expect(log.machine.peek("a", { tokens: 1, capacity: 5, refillPerSecond: 1 })).toMatchObject({
      remaining: 1,
    });
    expect(log.apply({ ...take, capacity: 2, refillPerSecond: 1 })).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 2000,
    });
    // From here on it gains one a second.
    log.timeMs += 1999;
    expect(log.apply({ ...take, capacity: 2, refillPerSecond: 1 })).toMatchObject({ retryAfterMs: 1 });
  });

  test("is forgotten once it is full, a few with each command", () => {
    const log = new Log(new Counters());
    for (let at = 0; at < 100; at++) log.apply({ ...take, key: `k${at}` });
    log.timeMs += 100;
    expect(log.machine.size(log.timeMs)).toEqual({ counters: 0, buckets: 0 });
    const kept = () => JSON.stringify([...log.machine.snapshot()]).match(/"k\d+"/g)?.length ?? 0;
    for (let before = kept(); before > 0; before = kept()) {
      log.apply({ op: "add", key: "n" });
      expect(before - kept()).toBeLessThanOrEqual(4);
      expect(kept()).toBeLessThan(before);
    }
    expect(log.machine.size()).toEqual({ counters: 1, buckets: 0 });
  });

  test("is exact at its bounds", () => {
    const log = new Log(new Counters());
    const largest = { op: "take", key: "a", tokens: 9e6, capacity: 9e6, refillPerSecond: 9e6 } as const;
    expect(log.apply(largest)).toMatchObject({ allowed: true, remaining: 0 });
    expect(log.apply({ ...largest, tokens: 1 })).toMatchObject({ allowed: false, retryAfterMs: 1 });
    log.timeMs += 999;
    expect(log.apply(largest)).toEqual({ allowed: false, remaining: 8_991_000, retryAfterMs: 1 });
    log.timeMs += 1;
    expect(log.apply({ ...largest, refillPerSecond: 0.000001 })).toMatchObject({ allowed: true });
    expect(log.apply({ ...largest, refillPerSecond: 0.000001 })).toMatchObject({ retryAfterMs: 9e15 });
  });

  test.each([
    [{ tokens: 4 }, "tokens is 4, not a whole number from 1 to 3"],
    [{ tokens: 0.5 }, "tokens is 0.5"],
    [{ capacity: 0 }, "capacity is 0, not a whole number from 1 to 9000000"],
    [{ capacity: 9_000_001 }, "capacity is 9000001"],
    [{ refillPerSecond: 0 }, "refillPerSecond is 0, not a number from 0.000001 to 9000000"],
    [{ refillPerSecond: 1e7 }, "refillPerSecond is 10000000"],
    [{ refillPerSecond: Number.NaN }, "refillPerSecond is NaN"],
    [{ key: 1 }, "key is 1, not a string"],
    [{ op: "give" }, `the command's op is "give"`],
  ])("refuses %j", (bad, message) => {
    expect(new Log(new Counters()).failure({ ...take, ...bad })).toContain(message);
  });
});

test("counters: 1 when nothing is said, whole numbers, exact", () => {
  const log = new Log(new Counters());
  expect(log.apply({ op: "add", key: "a" })).toBe(1);
  expect(log.apply({ op: "add", key: "a", by: -5 })).toBe(-4);
  expect(log.apply({ op: "reset", key: "a" })).toBe(-4);
  expect(log.apply({ op: "reset", key: "a" })).toBe(0);
  expect(log.failure({ op: "add", key: "a", by: 0.5 })).toContain("by is 0.5");
  log.apply({ op: "add", key: "a", by: Number.MAX_SAFE_INTEGER });
  expect(log.failure({ op: "add", key: "a" })).toContain("too large for an exact integer: reset a");
  expect(log.machine.get("a")).toBe(Number.MAX_SAFE_INTEGER);
});
