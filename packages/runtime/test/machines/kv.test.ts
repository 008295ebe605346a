import type { AppliedAt } from "@synod/runtime";
import { absent, type KeyValueChange, type KeyValueCommand, KeyValueStore } from "@synod/runtime/kv";
import { checkStateMachine } from "@synod/runtime/testing";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { agreesWithModel, Log, restored, seed } from "./support.js";

const names = ["a", "b", "ab", "abc"];

/** All that ended is gone at once, and everything is found by looking at everything. */
class Model {
  entries: { key: string; value: unknown; version: number; expiresAtMs: number }[] = [];

  apply(command: KeyValueCommand, { instance, timeMs }: AppliedAt): number {
    this.entries = this.at(timeMs);
    const { key } = command;
    const found = this.entries.find(entry => entry.key === key);
    if ("ifVersion" in command && command.ifVersion !== (found?.version ?? -1)) return -1;
    const { ttlMs } = command as { ttlMs?: number | null };
    const expiresAtMs = timeMs + (ttlMs ?? Number.POSITIVE_INFINITY);
    switch (command.op) {
      case "set":
        if (found) Object.assign(found, { value: command.value, version: instance, expiresAtMs });
        else this.entries.push({ key, value: command.value, version: instance, expiresAtMs });
        return instance;
      case "delete":
        this.entries = this.entries.filter(entry => entry !== found);
        return found ? instance : -1;
      case "expire":
        if (found) found.expiresAtMs = expiresAtMs;
        return found?.version ?? -1;
    }
  }

  at(timeMs: number) {
    return this.entries.filter(({ expiresAtMs }) => expiresAtMs > timeMs);
  }
}

const key = fc.constantFrom(...names);
const ttlMs = fc.integer({ min: 1, max: 1500 });
// Positions begin at 4 in these logs, so that some of these are the version at the time.
const ifVersion = fc.oneof(fc.constant(absent), fc.integer({ min: 4, max: 12 }));
const command: fc.Arbitrary<KeyValueCommand> = fc.oneof(
  fc.record({ op: fc.constant("set" as const), key, value: fc.nat(9) }),
  fc.record(
    { op: fc.constant("set" as const), key, value: fc.nat(9), ttlMs, ifVersion },
    { requiredKeys: ["op", "key", "value"] },
  ),
  fc.record({ op: fc.constant("delete" as const), key, ifVersion }, { requiredKeys: ["op", "key"] }),
  fc.record({ op: fc.constant("expire" as const), key, ttlMs: fc.option(ttlMs) }),
);

test("does what a model does that looks at everything", () =>
  agreesWithModel({
    create: () => new KeyValueStore(),
    createModel: () => new Model(),
    command,
    gapMsMax: 700,
    read: (store, timeMs) => ({
      keys: [...store.keys(timeMs)],
      size: store.size(timeMs),
      values: names.map(name => [store.has(name, timeMs), store.get(name, timeMs)]),
      versions: names.map(name => store.entry(name, timeMs).version),
      listed: store.entries({ prefix: "a", after: "a", limit: 1 }, timeMs),
    }),
    readModel: (model, timeMs) => {
      const entries = model.at(timeMs);
      const found = names.map(name => entries.find(({ key }) => key === name));
      const listed = entries.filter(({ key }) => key.startsWith("a") && key > "a").sort(byKey);
      return {
        keys: entries.map(({ key }) => key),
        size: entries.length,
        values: found.map(entry => [entry !== undefined, entry?.value]),
        versions: found.map(entry => entry?.version ?? absent),
        listed: listed.slice(0, 1).map(({ expiresAtMs, ...entry }) => {
          if (expiresAtMs === Number.POSITIVE_INFINITY) return entry;
          return { ...entry, expiresInMs: expiresAtMs - timeMs };
        }),
      };
    },
  }));

const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);

test("is deterministic, and survives snapshots and restarts", () =>
  checkStateMachine<KeyValueStore>({
    create: () => new KeyValueStore(),
    seed,
    runs: 10,
    commands: random => {
      const key = random.pick(names);
      const ttlMs = random.between(1, 4000);
      switch (random.below(4)) {
        case 0:
          return { op: "set", key, value: { nested: [random.below(9)] }, ttlMs };
        case 1:
          return { op: "expire", key, ttlMs: random.chance(0.3) ? null : ttlMs };
        case 2:
          return random.chance(0.5) ? { op: "delete", key } : { op: "set", key, value: 1, ifVersion: absent };
        default:
          return { op: "set", key, value: random.below(9) };
      }
    },
    queries: random => {
      const key = random.pick(names);
      if (random.chance(0.3)) return { op: "entries", prefix: random.pick(["", "a"]), limit: 2 };
      return random.pick([{ op: "get", key }, { op: "entry", key }, { op: "has", key }, { op: "size" }]);
    },
  }));

describe("commands", () => {
  test("compare and set by version; set if absent; delete if", () => {
    const log = new Log(new KeyValueStore<string>());
    const first = log.apply({ op: "set", key: "a", value: "one", ifVersion: absent });
    expect(first).toBe(log.instance);
    expect(log.apply({ op: "set", key: "a", value: "two", ifVersion: absent })).toBe(absent);
    const second = log.apply({ op: "set", key: "a", value: "two", ifVersion: first });
    expect(second).toBe(log.instance);
    expect(log.apply({ op: "set", key: "a", value: "three", ifVersion: first })).toBe(absent);
    expect(log.apply({ op: "delete", key: "a", ifVersion: first })).toBe(absent);
    expect(log.machine.entry("a")).toEqual({ key: "a", value: "two", version: second });
    expect(log.apply({ op: "delete", key: "a", ifVersion: second })).toBe(log.instance);
    expect(log.machine.entry("a")).toEqual({ key: "a", value: undefined, version: absent });
  });

  test("a key lives so long, and not a moment longer; setting it anew ends that", () => {
    const log = new Log(new KeyValueStore());
    const from = log.timeMs;
    const version = log.apply({ op: "set", key: "a", value: 1, ttlMs: 1000 });
    expect(log.machine.entry("a")).toEqual({ key: "a", value: 1, version, expiresInMs: 1000 });
    expect(log.machine.get("a", from + 999.5)).toBe(1);
    expect(log.machine.get("a", from + 1000)).toBeUndefined();
    log.timeMs += 999;
    expect(log.apply({ op: "expire", key: "a", ttlMs: 1000 })).toBe(version);
    log.timeMs += 999;
    expect(log.apply({ op: "expire", key: "a", ttlMs: null })).toBe(version);
    expect(log.machine.get("a", Number.MAX_VALUE)).toBe(1);
    log.apply({ op: "set", key: "a", value: 2, ttlMs: 5 });
    log.apply({ op: "set", key: "a", value: 3 });
    expect(log.machine.get("a", Number.MAX_VALUE)).toBe(3);
    log.apply({ op: "set", key: "a", value: 4, ttlMs: 5 });
    log.timeMs += 5;
    expect(log.apply({ op: "delete", key: "a" })).toBe(absent);
    expect(log.apply({ op: "expire", key: "a", ttlMs: 5 })).toBe(absent);
  });

  test("what has ended is removed a few at a time, and is not there before", () => {
    const log = new Log(new KeyValueStore());
    for (let at = 0; at < 200; at++) log.apply({ op: "set", key: `k${at}`, value: at, ttlMs: 1000 + at });
    log.timeMs += 10_000;
    expect(log.machine.size(log.timeMs)).toBe(0);
    const kept = () => [...log.machine.snapshot()].flat().length - 1;
    let before = kept();
    expect(before).toBe(200);
    while (before > 1) {
      expect(log.apply({ op: "set", key: "other", value: 0 })).toBe(log.instance);
      expect(before - kept()).toBeLessThanOrEqual(4);
      expect(kept()).toBeLessThan(before);
      before = kept();
      expect(log.machine.size()).toBe(1);
    }
    expect([...log.machine.keys()]).toEqual(["other"]);
  });

  test("who is removed first among those that end together does not depend on how they got in", async () => {
    const log = new Log(new KeyValueStore());
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const key of names) log.apply({ op: "set", key, value: 1, ttlMs: 10 });
    log.apply({ op: "set", key: "a", value: 2, ttlMs: 10 });
    log.apply({ op: "expire", key: "b", ttlMs: 20 });
    log.apply({ op: "expire", key: "b", ttlMs: 10 });
    const copy = await restored(log.machine, new KeyValueStore());
    const at = { instance: 1000, timeMs: log.timeMs + 50 };
    for (const store of [log.machine, copy]) store.apply({ op: "delete", key: "none" }, at);
    expect([...copy.snapshot()]).toEqual([...log.machine.snapshot()]);
    // By time, then by version: "a" was set last.
    const kept = [...copy.snapshot()].flatMap(chunk => (Array.isArray(chunk) ? chunk : []));
    expect(kept.map(([key]) => key)).toEqual(["a", "f"]);
  });

  test("a key that has ended but is not removed yet is set as one that is not there", () => {
    const log = new Log(new KeyValueStore());
    for (const key of ["a", "b", "c", "d", "e", "f"]) log.apply({ op: "set", key, value: 1, ttlMs: 10 });
    log.apply({ op: "set", key: "g", value: 1 });
    log.timeMs += 10;
    log.apply({ op: "set", key: "f", value: 2 });
    expect([...log.machine.keys()]).toEqual(["g", "f"]);
    expect(log.apply({ op: "delete", key: "f" })).toBe(log.instance);
  });

  test("that cannot be meant are refused", () => {
    const log = new Log(new KeyValueStore());
    log.apply({ op: "set", key: "a", value: 1 });
    const set = { op: "set", key: "a", value: 2 };
    expect(log.failure({ ...set, key: 5 })).toBe("TypeError: key is 5, not a string");
    expect(log.failure({ ...set, ttlMs: 0 })).toMatch("ttlMs is 0, not a number of milliseconds above 0");
    for (const ttlMs of [Number.NaN, -1, "1", null, Number.POSITIVE_INFINITY])
      expect(log.failure({ ...set, ttlMs })).toMatch("ttlMs is ");
    expect(log.failure({ op: "expire", key: "a" })).toMatch("ttlMs is undefined");
    expect(log.failure({ ...set, ifVersion: "1" })).toMatch('ifVersion is "1", not a whole number from -1');
    expect(log.failure({ op: "delete", key: "a", ifVersion: -2 })).toMatch("ifVersion is -2");
    expect(log.failure({ op: "sett", key: "a" })).toMatch(`the command's op is "sett"`);
    expect(log.machine.get("a")).toBe(1);
  });

  test("take types of values", () => {
    const log = new Log(new KeyValueStore<{ readonly user: string }>());
    // @ts-expect-error: not a value of this store
    void (() => log.apply({ op: "set", key: "a", value: 5 }));
    expectTypeOf(log.machine.get("a")).toEqualTypeOf<{ readonly user: string } | undefined>();
  });
});

describe("queries", () => {
  test("list entries by prefix, in pages, in the order of their keys", () => {
    const log = new Log(new KeyValueStore());
    for (const key of ["b2", "a", "b10", "c", "b1"]) log.apply({ op: "set", key, value: key });
    const page = (range: object) =>
      log.machine.query({ op: "entries", ...range }, { timeMs: log.timeMs }) as { key: string }[];
    const keys = (range: object) => page(range).map(({ key }) => key);
    expect(keys({})).toEqual(["a", "b1", "b10", "b2", "c"]);
    expect(keys({ prefix: "b", limit: 2 })).toEqual(["b1", "b10"]);
    expect(keys({ prefix: "b", limit: 2, after: "b10" })).toEqual(["b2"]);
    expect(() => keys({ limit: 0 })).toThrow("limit is 0, not a whole number from 1 to 1000");
    expect(() => keys({ prefix: 1 })).toThrow("prefix is 1, not a string");
  });

  test("without a time go by the last command", () => {
    const log = new Log(new KeyValueStore());
    log.apply({ op: "set", key: "a", value: 1, ttlMs: 10 });
    expect(log.machine.query({ op: "has", key: "a" })).toBe(true);
    log.timeMs += 10;
    expect(log.machine.query({ op: "has", key: "a" })).toBe(true);
    log.apply({ op: "delete", key: "b" });
    expect(log.machine.query({ op: "has", key: "a" })).toBe(false);
  });
});

describe("watching", () => {
  const turn = () => new Promise(resolve => setImmediate(resolve));

  test("tells of a key, or a prefix, in order, once the commands are applied, until it ends", async () => {
    const log = new Log(new KeyValueStore());
    const seen: [string, KeyValueChange, number][] = [];
    const note = (name: string) => (change: KeyValueChange) => {
      seen.push([name, change, log.machine.size()]);
    };
    const unwatch = log.machine.watch("user:1", note("key"));
    log.machine.watch({ prefix: "user:" }, note("prefix"));
    const set = log.apply({ op: "set", key: "user:1", value: "ann" });
    const other = log.apply({ op: "set", key: "user:2", value: "bob", ttlMs: 5 });
    log.apply({ op: "set", key: "order:1", value: 1 });
    log.apply({ op: "delete", key: "user:1", ifVersion: absent });
    expect(seen).toEqual([]);
    await turn();
    const ann = { kind: "set", key: "user:1", value: "ann", version: set };
    expect(seen).toEqual([
      ["key", ann, 3],
      ["prefix", ann, 3],
      ["prefix", { kind: "set", key: "user:2", value: "bob", version: other }, 3],
    ]);
    seen.length = 0;
    log.timeMs += 5;
    const deleted = log.apply({ op: "delete", key: "user:1" });
    unwatch();
    await turn();
    expect(seen.map(([name, change]) => [name, change])).toEqual([
      ["prefix", { kind: "expire", key: "user:2", value: undefined, version: deleted }],
      ["prefix", { kind: "delete", key: "user:1", value: undefined, version: deleted }],
    ]);
  });

  test("a listener that throws is reported, and neither the store nor another one notices", async () => {
    const log = new Log(new KeyValueStore());
    const seen: string[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = vi.fn();
    process.on("uncaughtException", uncaught);
    try {
      log.machine.watch("a", () => {
        throw new Error("mine");
      });
      log.machine.watch("a", ({ version }) => seen.push(`a ${version}`));
      const versions = [1, 2].map(value => log.apply({ op: "set", key: "a", value }));
      await turn();
      expect(seen).toEqual(versions.map(version => `a ${version}`));
      expect(uncaught.mock.calls.map(([error]) => error.message)).toEqual(["mine", "mine"]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of others) process.on("uncaughtException", listener);
    }
  });

  test("who starts and stops watching while being told is heard", async () => {
    const log = new Log(new KeyValueStore());
    const seen: string[] = [];
    const stop = log.machine.watch("a", () => {
      seen.push("once");
      stop();
      stop();
      log.machine.watch("a", () => seen.push("later"));
    });
    log.apply({ op: "set", key: "a", value: 1 });
    log.apply({ op: "set", key: "a", value: 2 });
    await turn();
    expect(seen).toEqual(["once"]);
    log.apply({ op: "set", key: "a", value: 3 });
    await turn();
    expect(seen).toEqual(["once", "later"]);
  });

  test("what is told makes the same map, also through snapshots", async () => {
    const steps = fc.array(fc.tuple(command, fc.nat(700), fc.nat(9)), { maxLength: 40, size: "max" });
    const property = fc.asyncProperty(steps, async steps => {
      const watched = new KeyValueStore();
      const other = new KeyValueStore();
      const told = new Map<string, unknown>();
      watched.watch({ prefix: "" }, ({ kind, key, value, version }) => {
        if (kind === "set") told.set(key, [value, version]);
        else told.delete(key);
      });
      let timeMs = 5;
      let isBehind = false;
      for (const [instance, [command, gapMs, draw]] of steps.entries()) {
        timeMs += gapMs;
        const at = { instance: instance + 4, timeMs };
        other.apply(command, at);
        if (draw < 3) isBehind = true;
        if (!isBehind) watched.apply(command, at);
        else if (draw > 7) {
          isBehind = false;
          await restored(other, watched);
        }
        if (isBehind) continue;
        await turn();
        const entries = [...watched.snapshot()].flatMap(chunk => (Array.isArray(chunk) ? chunk : []));
        expect(told).toEqual(new Map(entries.map(([key, value, version]) => [key, [value, version]])));
      }
    });
    await fc.assert(property, { numRuns: 30, seed });
  });

  test("wants a key or a prefix, and a function", () => {
    const store = new KeyValueStore();
    // @ts-expect-error: neither a key nor a prefix
    expect(() => store.watch({}, () => undefined)).toThrow("what is watched is undefined, not a string");
    // @ts-expect-error: nobody to tell
    expect(() => store.watch("a")).toThrow("listener is undefined, not a function");
  });
});

test("a restored store reads as its source until the next command", async () => {
  const log = new Log(new KeyValueStore());
  log.apply({ op: "set", key: "a", value: 1, ttlMs: 10 });
  log.timeMs += 10;
  log.apply({ op: "delete", key: "b" });
  const copy = await restored(log.machine, new KeyValueStore());
  expect(copy.has("a")).toBe(false);
  expect(copy.size()).toBe(0);
});
