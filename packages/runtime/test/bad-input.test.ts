import { getEventListeners } from "node:events";
import { type Client, Cluster, type SynodErrorCode } from "@synod/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AnyMachine,
  errorOf,
  expectAgreement,
  fixture,
  machine,
  start,
  withCluster,
} from "./support.js";

class Instance {
  readonly x = 1;
}

const circular: Record<string, unknown> = { list: [] };
(circular.list as unknown[]).push({ back: circular });
const doubly: Record<string, unknown> = {};
doubly.a = doubly;
doubly.b = doubly;
let deep: unknown = 1;
for (let depth = 0; depth < 5000; depth++) deep = { d: deep };

const unserializable: [string, unknown, string][] = [
  ["a function", { items: [1, { onDone: () => 1 }] }, "command.items[1].onDone"],
  ["a bare function", () => 1, "command"],
  ["a symbol", { a: { b: Symbol("s") } }, "command.a.b"],
  ["a class instance", { x: new Instance() }, "command.x"],
  ["a bare class instance", new Instance(), "command"],
  ["a map", { m: new Map() }, "command.m"],
  ["a set", [[new Set()]], "command[0][0]"],
  ["an error", { e: new Error("x") }, "command.e"],
  ["a regular expression", { r: /x/ }, "command.r"],
  ["a buffer that is not bytes", { f: new Float64Array(1) }, "command.f"],
  ["an ArrayBuffer", { f: new ArrayBuffer(1) }, "command.f"],
  ["a promise", { later: Promise.resolve(1) }, "command.later"],
  ["a bare promise", Promise.resolve(1), "command"],
  // biome-ignore lint/suspicious/noThenProperty: that is the attack
  ["a thenable", { then: () => 1 }, "command.then"],
  ["a circular reference", circular, "command.list[0].back"],
  ["a circular reference in two places", doubly, "command.a"],
  ["a bigint of 65 bits", { n: [2n ** 64n] }, "command.n[0]"],
  ["a subclass of Array", { l: new (class extends Array {})() }, "command.l"],
  ["an own __proto__", JSON.parse('{"a":{"__proto__":{"x":1}}}'), "command.a.__proto__"],
];

const throwing: [string, unknown][] = [
  [
    "a getter that throws",
    {
      get x() {
        throw new RangeError("no");
      },
    },
  ],
  [
    "a proxy that throws",
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new RangeError("no");
        },
      },
    ),
  ],
  ["what only looks like a Date", { d: Object.create(Date.prototype) }],
  ["5,000 levels", deep],
];

describe("commands and calls", () => {
  let cluster: Cluster<AnyMachine>;
  let client: Client<AnyMachine>;
  let applied = 0;
  beforeAll(async () => {
    cluster = await start();
    client = await cluster.connect();
  });
  afterAll(async () => {
    await cluster?.close();
  });

  test.each(unserializable)("%s is refused with its path", async (_, command, path) => {
    expect(await errorOf(client.propose(command), "NOT_SERIALIZABLE")).toMatchObject({
      path,
      outcome: "not-applied",
    });
    const inQuery = path.replace("command", "query");
    expect(await errorOf(client.query(command), "NOT_SERIALIZABLE")).toMatchObject({ path: inQuery });
  });

  test.each(throwing)("%s is refused", async (_, command) => {
    await errorOf(client.propose(command), "NOT_SERIALIZABLE");
    await errorOf(client.query(command), "NOT_SERIALIZABLE");
  });

  test("a command or query that is too large", async () => {
    const max = 4 * 1024 * 1024;
    const large = { x: new Uint8Array(max) };
    expect(await errorOf(client.propose(large), "COMMAND_TOO_LARGE")).toMatchObject({
      outcome: "not-applied",
    });
    expect(await errorOf(client.propose("x".repeat(max)), "COMMAND_TOO_LARGE")).toMatchObject({
      outcome: "not-applied",
    });
    await errorOf(client.query(large), "COMMAND_TOO_LARGE");
    expect(await client.propose({ x: new Uint8Array(max - 100) })).toMatchObject({
      x: { length: max - 100 },
    });
    applied += 1;
  });

  test("a result that is too large fails its own command, and many large ones come in several frames", async () => {
    const max = 4 * 1024 * 1024;
    const bytes = (length: number) => client.propose({ do: "bytes", length });
    const tooLarge = errorOf(bytes(max + 1), "STATE_MACHINE_FAILED");
    const neighbour = client.propose("small");
    expect((await tooLarge).message).toContain("more than 4194304");
    expect(await neighbour).toBe("small");
    const large = await Promise.all(Array.from({ length: 24 }, () => bytes(max - 100)));
    expect(large.map(({ length }) => length)).toEqual(new Array(24).fill(max - 100));
    applied += 26;
  });

  test("what the caller changes after the call does not count", async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const buffer = Buffer.from([1, 2, 3]);
    const view = new Uint8Array(Uint8Array.of(0, 1, 2, 3, 4).buffer, 1, 3);
    const date = new Date(5);
    const command = { a: [1, { b: 2 }], bytes, buffer, view, date };
    const answer = client.propose(command);
    (command.a as unknown[])[0] = 9;
    (command.a[1] as { b: number }).b = 9;
    (command as Record<string, unknown>).more = 1;
    for (const each of [bytes, buffer, view]) each.fill(9);
    date.setTime(9);
    const expected = [1, 2, 3];
    applied += 1;
    const got = await answer;
    expect(Object.keys(got)).toEqual(["a", "bytes", "buffer", "view", "date"]);
    expect(got).toMatchObject({ a: [1, { b: 2 }], date: new Date(5) });
    for (const each of ["bytes", "buffer", "view"]) expect([...got[each]]).toEqual(expected);
  });

  test("one bad command among a hundred good ones", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 101 }, (_, id) => client.propose(id === 50 ? { id, bad: () => 1 } : { id })),
    );
    applied += 100;
    outcomes.forEach((outcome, id) => {
      if (id === 50)
        expect(outcome).toMatchObject({ status: "rejected", reason: { code: "NOT_SERIALIZABLE" } });
      else expect(outcome).toEqual({ status: "fulfilled", value: { id } });
    });
  });

  test.each([
    ["throw", "RangeError: no such thing"],
    ["throw-nothing", "threw"],
    ["throw-long", "xxx"],
    ["promise", "is a promise"],
    ["rejected", "is a promise"],
    ["function", "apply()'s result.answer[0]"],
    ["instance", "an instance of Map"],
  ])("an apply that fails by %s rejects that one propose", async (what, text) => {
    const [before, failed, after] = await Promise.allSettled([
      client.propose("before"),
      client.propose({ do: what }),
      client.propose("after"),
    ]);
    applied += 3;
    expect(before).toEqual({ status: "fulfilled", value: "before" });
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "STATE_MACHINE_FAILED" } });
    expect((failed as PromiseRejectedResult).reason.message).toContain(text);
    expect(after).toEqual({ status: "fulfilled", value: "after" });
  });

  test("a query that fails", async () => {
    for (const query of ["throw", "promise", "function"]) {
      await errorOf(client.query(query), "STATE_MACHINE_FAILED");
    }
    expect(await client.query("fine")).toBe("fine");
  });

  test("a Buffer as a result comes as bytes", async () => {
    applied += 1;
    expect(await client.propose({ do: "buffer" })).toHaveLength(3);
  });

  test.each([
    [{ timeout: 5 }, "timeout"],
    [{ timeoutMs: 0 }, "timeoutMs"],
    [{ timeoutMs: -1 }, "timeoutMs"],
    [{ timeoutMs: Number.NaN }, "timeoutMs"],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs"],
    [{ timeoutMs: "5" }, "timeoutMs"],
    [{ timeoutMs: 2 ** 31 }, "timeoutMs"],
    [{ signal: {} }, "signal"],
    [null, undefined],
    [7, undefined],
  ])("call options %o", async (options, path) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const bad = options as any;
    expect((await errorOf(client.propose(1, bad), "INVALID_OPTIONS")).path).toBe(path);
    expect((await errorOf(client.query(1, bad), "INVALID_OPTIONS")).path).toBe(path);
  });

  test.each(["linear", "", null, 7, {}])("consistency %o", async consistency => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const bad = { consistency } as any;
    const error = await errorOf(client.query("length", bad), "INVALID_OPTIONS");
    expect(error.path).toBe("consistency");
    // It says how a query is answered; a command has no such option.
    expect((await errorOf(client.propose(1, bad), "INVALID_OPTIONS")).path).toBe("consistency");
  });

  test.each(["proposer-9", "acceptor-0", "", null, undefined, 0])("leadership for %o", async to => {
    const error = await errorOf(cluster.transferLeadership(to as string), "INVALID_OPTIONS");
    expect(error.path).toBe("to");
    expect(error.message).toContain("proposer-0, proposer-1");
  });

  test("a pause that does not say for how long", async () => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const error = await errorOf(cluster.faults.pause("acceptor-0", {} as any), "INVALID_OPTIONS");
    expect([error.path, error.message]).toEqual(["ms", "the option ms is missing: it must be given"]);
  });

  test("a signal that was aborted before the call", async () => {
    const signal = AbortSignal.abort(new Error("mine"));
    const error = await errorOf(client.propose(1, { signal }), "ABORTED");
    expect(error).toMatchObject({ outcome: "not-applied", cause: { message: "mine" } });
    await errorOf(client.query(1, { signal }), "ABORTED");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("one listener per signal, and none afterwards", async () => {
    const { signal } = new AbortController();
    const all = Array.from({ length: 500 }, (_, id) => client.propose({ id }, { signal }));
    applied += 500;
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await Promise.all(all);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    await client.query(1, { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("all learners went on and agree", async () => {
    await expectAgreement(cluster, applied);
    const { actors } = await cluster.status();
    expect(actors.filter(({ state }) => state === "failed")).toEqual([]);
  });
});

test("a signal that fires before the commands are sent", async () => {
  // Batches that follow the load do not wait for the end of the turn when nothing is under way.
  await withCluster({ batch: { adaptive: false } }, async cluster => {
    const client = await cluster.connect();
    const controller = new AbortController();
    const { signal } = controller;
    const all = Array.from({ length: 10 }, () => client.propose("aborted", { signal }));
    const other = client.propose("other");
    controller.abort();
    const outcomes = await Promise.allSettled(all);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: "ABORTED", outcome: "not-applied" } });
    }
    expect(await other).toBe("other");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    await expectAgreement(cluster, 1);
  });
});

test("a signal or deadline that comes after sending leaves the outcome open; later commands go on", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    const controller = new AbortController();
    const { signal } = controller;
    const stalled = client.propose({ do: "stall", ms: 300 });
    const aborted = client.propose({ id: "aborted" }, { signal });
    const late = client.propose({ id: "late" }, { timeoutMs: 20 });
    await new Promise(resolve => setImmediate(resolve));
    const inTime = client.query("length", { timeoutMs: 20 });
    controller.abort();
    expect(await errorOf(aborted, "ABORTED")).toMatchObject({ outcome: "unknown" });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    const ends = await Promise.allSettled([late, inTime]);
    expect(ends[0]).toMatchObject({ status: "rejected", reason: { code: "TIMEOUT", outcome: "unknown" } });
    expect(await stalled).toBeNull();
    expect(await client.propose("next")).toBe("next");
  });
});

test("a hundred and thirty thousand commands that wait, aborted together, and one too many", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    const controller = new AbortController();
    const { signal } = controller;
    const codes = new Map<string, number>();
    const all: Promise<void>[] = [];
    const add = (promise: Promise<unknown>) =>
      all.push(
        promise.then(
          () => void codes.set("done", (codes.get("done") ?? 0) + 1),
          ({ code, outcome }) => {
            const key = `${code} ${outcome}`;
            codes.set(key, (codes.get(key) ?? 0) + 1);
          },
        ),
      );
    for (let i = 0; i < 150_000; i++) add(client.propose(i, { signal }));
    controller.abort();
    await Promise.all(all);
    expect([...codes.keys()].sort()).toEqual([
      "ABORTED not-applied",
      "ABORTED unknown",
      "OVERLOADED not-applied",
    ]);
    expect(await client.propose("after")).toBe("after");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("what waits is bounded", () => {
  test("by the bytes of commands and by the number of queries; past that, OVERLOADED at once", async () => {
    await withCluster({}, async cluster => {
      const client = await cluster.connect();
      const controller = new AbortController();
      const { signal } = controller;
      const codeOf = (promise: Promise<unknown>) =>
        promise.then(
          () => "done",
          ({ code }) => code as string,
        );
      const large = "x".repeat(1_300_000);
      const commands = Array.from({ length: 150 }, () => codeOf(client.propose(large, { signal })));
      const queries = Array.from({ length: 65_600 }, () => codeOf(client.query("q", { timeoutMs: 20_000 })));
      controller.abort();
      const codes = await Promise.all(commands);
      // The first that was refused is followed by refused ones only: nobody overtakes who waits.
      expect(codes.lastIndexOf("ABORTED")).toBe(codes.indexOf("OVERLOADED") - 1);
      expect((await Promise.all(queries)).filter(code => code === "OVERLOADED")).toHaveLength(64);
      expect(await client.propose("after")).toBe("after");
    });
  });
});

describe("options of a cluster", () => {
  test.each<[Record<string, unknown>, string]>([
    ...["proposers", "acceptors", "learners"].flatMap(name =>
      [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null, 1000, 3n].map(
        (value): [Record<string, unknown>, string] => [{ [name]: value }, name],
      ),
    ),
    [{ quorums: { prepare: 1, accept: 2 } }, "quorums"],
    [{ acceptors: 4, quorums: { prepare: 2, accept: 2 } }, "quorums"],
    [{ quorums: { prepare: 4, accept: 2 } }, "quorums.prepare"],
    [{ quorums: { prepare: 2, accept: 4 } }, "quorums.accept"],
    [{ quorums: { prepare: 0, accept: 3 } }, "quorums.prepare"],
    [{ quorums: { prepare: 3, accept: -1 } }, "quorums.accept"],
    [{ quorums: { prepare: 2 } }, "quorums.accept"],
    [{ quorums: { prepare: 2, accept: 2, fast: 3 } }, "quorums.fast"],
    [{ batch: { commandsMax: 0 } }, "batch.commandsMax"],
    [{ batch: { bytesMax: 0.5 } }, "batch.bytesMax"],
    [{ batch: { commandMax: 1 } }, "batch.commandMax"],
    [{ pipeline: { batchesMax: 0 } }, "pipeline.batchesMax"],
    [{ batch: { lingerMs: -1 } }, "batch.lingerMs"],
    [{ batch: { lingerMs: Number.NaN } }, "batch.lingerMs"],
    [{ batch: { adaptive: "yes" } }, "batch.adaptive"],
    [{ leaseMs: 0 }, "leaseMs"],
    [{ leaseMs: 99.5 }, "leaseMs"],
    [{ sessionTimeoutMs: 99 }, "sessionTimeoutMs"],
    [{ sessionTimeoutMs: Number.POSITIVE_INFINITY }, "sessionTimeoutMs"],
    [{ distinguishedLearner: 1 }, "distinguishedLearner"],
    [{ digest: "crc32" }, "digest"],
    [{ pipeline: 3 }, "pipeline"],
    [{ pipeline: { depth: 3 } }, "pipeline.depth"],
    [{ mailbox: "rings" }, "mailbox"],
    [{ storage: "disk" }, "storage"],
    [{ restarts: { max: -1 } }, "restarts.max"],
    [{ restarts: { windowMs: 0 } }, "restarts.windowMs"],
    [{ restarts: { delayMs: 5 } }, "restarts.delayMs"],
    [{ restarts: 8 }, "restarts"],
    [{ storageBytesMax: 64 * 1024 * 1024 - 1 }, "storageBytesMax"],
    [{ storageBytesMax: 2 ** 32 }, "storageBytesMax"],
    [{ snapshot: { everyCommands: 0 } }, "snapshot.everyCommands"],
    [{ snapshot: { everyBytes: 0 } }, "snapshot.everyBytes"],
    [{ snapshot: { everyBytes: 2 ** 25 + 1 } }, "snapshot.everyBytes"],
    [{ snapshot: { tailBytes: -1 } }, "snapshot.tailBytes"],
    [{ snapshot: { tailBytes: 2 ** 25 + 1 } }, "snapshot.tailBytes"],
    [{ storageBytesMax: 2 ** 26, snapshot: { everyBytes: 2 ** 23 + 1 } }, "snapshot.everyBytes"],
    [{ snapshot: { every: 5 } }, "snapshot.every"],
    [{ protocol: "raft" }, "protocol"],
    [{ trace: 1 }, "trace"],
    [{ acceptor: 3 }, "acceptor"],
    [{ stateMachine: undefined }, "stateMachine"],
    [{ stateMachine: null }, "stateMachine"],
    [{ stateMachine: 7 }, "stateMachine"],
    [{ stateMachine: "machine.mjs" }, "stateMachine"],
    [{ stateMachine: class {} }, "stateMachine"],
    [{ stateMachine: {} }, "stateMachine"],
    [{ stateMachine: { url: machine } }, "stateMachine"],
    [{ stateMachine: { url: machine, export: 7 } }, "stateMachine"],
    [{ stateMachine: { url: machine, export: "Named", name: "x" } }, "stateMachine"],
    [{ stateMachineOptions: { f: () => 1 } }, "stateMachineOptions"],
  ])("%o", async (options, path) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const started = Cluster.start({ stateMachine: machine, ...options } as any);
    const error = await errorOf(started, "INVALID_OPTIONS");
    expect(error.path).toBe(path);
    expect(error.message).toContain(path);
  });

  test.each([undefined, null, 7, "x"])("%o in place of options", async options => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    await errorOf(Cluster.start(options as any), "INVALID_OPTIONS");
  });
});

describe("state machine modules", () => {
  test.each<[string, unknown, SynodErrorCode, string]>([
    ["that do not exist", fixture("none.mjs"), "STATE_MACHINE_NOT_LOADED", "none.mjs"],
    ["that export nothing", fixture("nothing.mjs"), "STATE_MACHINE_NOT_LOADED", "exports nothing"],
    ["that throw", fixture("throws.mjs"), "STATE_MACHINE_NOT_LOADED", "while loading"],
    ["that end the thread", fixture("exits.mjs"), "ACTOR_FAILED", "learner-"],
    ["whose constructor throws", { url: machine, export: "Throws" }, "STATE_MACHINE_NOT_LOADED", "not today"],
    [
      "whose constructor throws undefined",
      { url: machine, export: "ThrowsNothing" },
      "STATE_MACHINE_NOT_LOADED",
      "constructor",
    ],
    ["without methods", { url: machine, export: "Incomplete" }, "STATE_MACHINE_NOT_LOADED", "snapshot()"],
    ["without that export", { url: machine, export: "Nobody" }, "STATE_MACHINE_NOT_LOADED", "Named"],
    [
      "that export no class as default",
      fixture("named-only.mjs"),
      "STATE_MACHINE_NOT_LOADED",
      'or give stateMachine: { url, export: "Named" }',
    ],
    [
      "that export a number",
      { url: machine, export: "notAClass" },
      "STATE_MACHINE_NOT_LOADED",
      "not a class",
    ],
    [
      "that export an arrow function",
      { url: machine, export: "arrow" },
      "STATE_MACHINE_NOT_LOADED",
      "constructor",
    ],
  ])("%s", async (_, stateMachine, code, text) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const error = await errorOf(Cluster.start({ stateMachine: stateMachine as any }), code);
    expect(error.message).toContain(text);
  });

  test("a named export, and options", async () => {
    await withCluster(
      { stateMachine: { url: new URL(machine), export: "Named" }, learners: 1 },
      async cluster => {
        expect(await (await cluster.connect()).query(1)).toBe("named");
      },
    );
    await withCluster({ stateMachineOptions: { a: new Date(1) }, learners: 1 }, async cluster => {
      expect(await (await cluster.connect()).query("options")).toEqual({ a: new Date(1) });
    });
  });

  test("without query()", async () => {
    await withCluster({ stateMachine: { url: machine, export: "WithoutQuery" } }, async cluster => {
      const client = await cluster.connect();
      await errorOf(client.query(1), "STATE_MACHINE_FAILED");
      expect(await client.propose(1)).toBe(1);
    });
  });
});

describe.each(["ring", "port"] as const)("after close, %s", mailbox => {
  test("every call says so, and every open promise has settled", async () => {
    const cluster = await start({ mailbox });
    const client = await cluster.connect();
    await client.propose(1);
    const stalled = client.propose({ do: "stall", ms: 50 });
    await new Promise(resolve => setImmediate(resolve));
    const open = [
      stalled,
      client.query("length"),
      ...Array.from({ length: 200 }, (_, id) => client.propose({ id })),
    ];
    const connecting = cluster.connect();
    const outcomes = Promise.allSettled(open);
    const connected = connecting.catch((error: unknown) => error);
    const closed = cluster.close();
    for (const outcome of await outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "CLUSTER_CLOSED" });
    }
    expect(await connected).toMatchObject({ code: "CLUSTER_CLOSED" });
    expect(cluster.close()).toBe(closed);
    await closed;
    await cluster[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    await errorOf(client.propose(1), "CLUSTER_CLOSED");
    await errorOf(client.query(1), "CLUSTER_CLOSED");
    await errorOf(cluster.connect(), "CLUSTER_CLOSED");
    await errorOf(cluster.status(), "CLUSTER_CLOSED");
    await errorOf(cluster.inspect(), "CLUSTER_CLOSED");
    await errorOf(cluster.transferLeadership("proposer-1"), "CLUSTER_CLOSED");
  });
});
