import { type Client, Cluster, type JoinOptions, joinReplica } from "@synod/runtime";
import { KeyValueStore } from "@synod/runtime/kv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorOf, until } from "../support.js";

let cluster: Cluster<KeyValueStore>;
let client: Client<KeyValueStore>;

beforeAll(async () => {
  cluster = await Cluster.start({ stateMachine: KeyValueStore });
  client = await cluster.connect();
});
afterAll(() => cluster.close());

const join = (options?: JoinOptions) => joinReplica(cluster.handle(), () => new KeyValueStore(), options);
const get = (key: string) => (machine: KeyValueStore) => machine.query({ op: "get", key });

describe("a replica", () => {
  test("joins, and shows what its client has proposed once it has reached it", async () => {
    await client.propose({ op: "set", key: "a", value: 1 });
    const replica = await joinReplica(cluster.handle(), new KeyValueStore());
    expect(replica.read(get("a"))).toBe(1);
    await client.propose({ op: "set", key: "a", value: 2 });
    await replica.reached(client.seenInstance);
    expect(replica.read(get("a"))).toBe(2);
    await client.propose({ op: "set", key: "a", value: 3 });
    await replica.sync();
    expect(replica.read(get("a"))).toBe(3);
    await replica.close();
    await errorOf(replica.sync(), "CLUSTER_CLOSED");
  });

  test("is another one for each thread that joins, and stands in the status until it is closed", async () => {
    const replica = await join();
    const names = async () => (await cluster.status()).replicas.map(({ name }) => name);
    expect(await names()).toContain(replica.name);
    await replica.reached(client.seenInstance);
    // The learners hear of it, a third of a second later at most.
    await until(
      () => cluster.status(),
      ({ replicas }) =>
        replicas.find(({ name }) => name === replica.name)?.appliedBelow === replica.appliedInstance + 1,
    );
    await replica.close();
    expect(await names()).not.toContain(replica.name);
  });

  test("is counted by the learners, which say how far the last one is behind", async () => {
    const replica = await join();
    const learners = async () =>
      (await cluster.metrics()).actors.filter(actor => actor.role === "learner" && actor.up === 1);
    await client.propose({ op: "set", key: "a", value: 4 });
    await replica.reached(client.seenInstance);
    // Those that were closed are forgotten by and by.
    await until(learners, all =>
      all.every(
        actor => actor.role === "learner" && actor.replicas === 1 && actor.replicasBehindInstancesMax === 0,
      ),
    );
    await replica.close();
    await until(learners, all => all.every(actor => actor.role === "learner" && actor.replicas === 0));
  });

  test("tells of changes once in a turn, and what is new in them", async () => {
    const replica = await join();
    const told: number[] = [];
    replica.on("change", ({ appliedInstance }) => told.push(appliedInstance));
    await Promise.all(
      Array.from({ length: 1000 }, (_, value) => client.propose({ op: "set", key: "n", value })),
    );
    const seen = client.seenInstance;
    await until(
      () => new Promise(resolve => setImmediate(resolve)),
      () => (told.at(-1) ?? -1) >= seen,
    );
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
    expect(told.length).toBeLessThan(1000);
    await replica.close();
  });

  test("tells the log from any place that it remembers, and says where that begins", async () => {
    const replica = await join({ entries: { commandsMax: 100 } });
    const from = replica.appliedInstance + 1;
    const slow = replica.entries({ from });
    // What is awaited apart is applied apart.
    for (const start of [0, 100, 200]) {
      const values = Array.from({ length: 100 }, (_, index) => start + index);
      await Promise.all(values.map(value => client.propose({ op: "set", key: "m", value })));
    }
    await replica.reached(client.seenInstance);
    const error = await errorOf(slow.next(), "LOG_TRIMMED");
    expect(await slow.next()).toEqual({ value: undefined, done: true });
    const begin = error.firstInstance ?? -1;
    expect(begin).toBeGreaterThan(from);
    expect(() => replica.entries({ from: begin - 1 })).toThrow(/does not remember/);
    const values: unknown[] = [];
    for await (const { command, instance, session, result } of replica.entries({ from: begin })) {
      expect(session).toBeLessThan(instance);
      expect(result).toBe(instance);
      values.push((command as { value?: unknown }).value);
      if (instance === client.seenInstance) break;
    }
    expect(values.length).toBeLessThanOrEqual(100);
    expect(values).toEqual(Array.from({ length: values.length }, (_, index) => 300 - values.length + index));
    await replica.close();
  });

  test("settles at once whatever is open when it is closed or its callers lose patience", async () => {
    const replica = await join();
    const controller = new AbortController();
    const aborted = errorOf(replica.reached(2 ** 40, { signal: controller.signal }), "ABORTED");
    const abortedEntries = errorOf(replica.entries({ signal: controller.signal }).next(), "ABORTED");
    const late = errorOf(replica.reached(2 ** 40, { timeoutMs: 1 }), "TIMEOUT");
    controller.abort();
    await Promise.all([aborted, abortedEntries, late]);
    await errorOf(replica.sync({ signal: controller.signal }), "ABORTED");
    await errorOf(replica.reached(0.5), "INVALID_OPTIONS");
    const open = errorOf(replica.reached(2 ** 40), "CLUSTER_CLOSED");
    const next = replica.entries().next();
    await replica.close();
    await replica.close();
    await open;
    expect(await next).toEqual({ value: undefined, done: true });
    expect(replica.closed).toBe(true);
    expect(() => replica.read(() => 1)).toThrow(/is closed/);
  });

  test("refuses machines and options that are none, and functions that are asynchronous", async () => {
    const handle = cluster.handle();
    const anyMachine = (machine: unknown) => joinReplica(handle, machine as KeyValueStore);
    await errorOf(anyMachine({}), "INVALID_OPTIONS");
    await errorOf(anyMachine(KeyValueStore), "INVALID_OPTIONS");
    await errorOf(joinReplica(handle, new KeyValueStore(), { entry: 1 } as object), "INVALID_OPTIONS");
    const replica = await join();
    // @ts-expect-error: what is awaited would not be the state that was read
    expect(() => replica.read(async () => 1)).toThrow(/promise/);
    await replica.close();
  });

  test("syncs while much is under way that has to be applied first", async () => {
    const replica = await join();
    let told = -1;
    const proposals = Array.from({ length: 5000 }, async (_, value) => {
      await client.propose({ op: "set", key: "s", value });
      told = Math.max(told, value);
    });
    for (let round = 0; round < 20; round++) {
      const before = told;
      await replica.sync();
      const seen = replica.read(get("s"));
      expect(typeof seen === "number" ? seen : -1).toBeGreaterThanOrEqual(before);
    }
    await Promise.all(proposals);
    await replica.close();
  });

  test("keeps the time on an idle log", async () => {
    const replica = await join();
    const first = replica.read((_, at) => at.timeMs);
    await until(
      () => new Promise<number>(resolve => setTimeout(() => resolve(replica.read((_, at) => at.timeMs)))),
      timeMs => timeMs > first,
    );
    await replica.close();
  });

  test("ends with its cluster", async () => {
    const own = await Cluster.start({ stateMachine: KeyValueStore, acceptors: 1, learners: 1, proposers: 1 });
    const replica = await joinReplica(own.handle(), () => new KeyValueStore());
    const open = errorOf(replica.reached(2 ** 40), "CLUSTER_CLOSED");
    const closed = new Promise<void>(resolve => replica.once("close", resolve));
    await own.close();
    await Promise.all([open, closed]);
  });
});
