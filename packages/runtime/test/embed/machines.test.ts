import { type Client, Cluster, joinReplica } from "@synod/runtime";
import { Counters, type CountersSize, type Taken } from "@synod/runtime/counters";
import { absent, KeyValueStore } from "@synod/runtime/kv";
import { type Holder, Locks } from "@synod/runtime/locks";
import { expect, expectTypeOf, test } from "vitest";
import { until } from "../support.js";

/** Learners that have applied the same commands are equal, byte for byte. */
async function expectAgreement(cluster: Cluster<never>): Promise<void> {
  const digests = async () => {
    const all = await cluster.inspect({ stateDigest: true });
    return all.filter(({ role }) => role === "learner").map(({ stateDigest }) => stateDigest);
  };
  await until(digests, seen => seen.length === 2 && seen[0] !== undefined && seen[0] === seen[1]);
}

test("a store: of those that compare and set at once, one wins each time, also after learners were lost", async () => {
  const cluster = await Cluster.start({ stateMachine: KeyValueStore, snapshot: { everyCommands: 200 } });
  try {
    const clients = await Promise.all([1, 2, 3].map(() => cluster.connect()));
    const raise = async (client: Client<KeyValueStore>): Promise<void> => {
      for (;;) {
        const { value, version } = (await client.query({ op: "entry", key: "n" })) as Entry;
        const set = { op: "set", key: "n", value: (value ?? 0) + 1, ifVersion: version } as const;
        if ((await client.propose(set)) !== absent) return;
      }
    };
    const raiseAll = () =>
      Promise.all(
        clients.map(async client => {
          for (let count = 0; count < 30; count++) await raise(client);
        }),
      );
    await raiseAll();
    const [client] = clients as [Client<KeyValueStore>];
    await Promise.all(
      Array.from({ length: 500 }, (_, at) =>
        client.propose({ op: "set", key: `k${at}`, value: at, ttlMs: at % 2 ? 1 : 3_600_000 }),
      ),
    );
    for (const name of ["learner-0", "learner-1"]) await cluster.faults.kill(name);
    await raiseAll();
    expect(await client.query({ op: "get", key: "n" })).toBe(180);
    await until(
      () => client.query({ op: "size" }),
      size => size === 251,
    );
    const page = (await client.query({ op: "entries", prefix: "k", limit: 2 })) as { key: string }[];
    expect(page.map(({ key }) => key)).toEqual(["k0", "k10"]);
    await expectAgreement(cluster as Cluster<never>);
  } finally {
    await cluster.close();
  }
});

test("a store that is watched: what a replica is told makes the same map, also what was in a snapshot", async () => {
  const cluster = await Cluster.start({ stateMachine: KeyValueStore, snapshot: { everyCommands: 100 } });
  try {
    const client = await cluster.connect();
    const setAll = (value: number) =>
      Promise.all(
        Array.from({ length: 300 }, (_, at) => client.propose({ op: "set", key: `k${at}`, value })),
      );
    await setAll(1);
    const publishedOf = async () => (await cluster.status()).actors.map(({ snapshot }) => snapshot ?? null);
    await until(publishedOf, published => published.some(snapshot => snapshot !== null));
    const store = new KeyValueStore<number>();
    const told = new Map<string, number>();
    store.watch({ prefix: "k" }, ({ kind, key, value }) => {
      if (kind === "set") told.set(key, value);
      else told.delete(key);
    });
    const replica = await joinReplica(cluster.handle(), store);
    await setAll(2);
    await client.propose({ op: "set", key: "k0", value: 3, ttlMs: 1 });
    await client.propose({ op: "delete", key: "k1" });
    await replica.sync();
    // Nobody proposes anything while the key comes to its end.
    await until(
      async () => replica.read((store, { timeMs }) => store.has("k0", timeMs)),
      has => !has,
    );
    await client.propose({ op: "delete", key: "none" });
    await replica.sync();
    expect(told).toEqual(new Map(Array.from({ length: 298 }, (_, at) => [`k${at + 2}`, 2])));
    expect(replica.read(store => store.size())).toBe(298);
    await replica.close();
  } finally {
    await cluster.close();
  }
});

test("the types of each follow from the class", () => {
  // The guide's programs run them; this is for the compiler.
  void (async () => {
    const counters = await (await Cluster.start({ stateMachine: Counters })).connect();
    const take = { op: "take", key: "a", tokens: 1, capacity: 5, refillPerSecond: 1 } as const;
    expectTypeOf(await counters.propose(take)).toEqualTypeOf<number | Taken>();
    expectTypeOf(
      await counters.query({ op: "peek", key: "a", tokens: 1, capacity: 5, refillPerSecond: 1 }),
    ).toEqualTypeOf<number | Taken | CountersSize>();
    // @ts-expect-error: no such command
    await counters.propose({ op: "subtract", key: "n" });
    // @ts-expect-error: a bucket has a size
    await counters.propose({ op: "take", key: "a", tokens: 1 });

    const locks = await (await Cluster.start({ stateMachine: Locks })).connect();
    const result = await locks.propose({ op: "acquire", name: "a", owner: "ann", ttlMs: 5 });
    if (result.held) expectTypeOf(result.token).toEqualTypeOf<number>();
    else expectTypeOf(result.owner).toEqualTypeOf<string | null>();
    expectTypeOf(await locks.query({ op: "held", name: "a" })).toEqualTypeOf<Holder | number | undefined>();
    // @ts-expect-error: without an owner
    await locks.propose({ op: "acquire", name: "a", ttlMs: 5 });

    const users = await Cluster.start<KeyValueStore<{ name: string }>>({ stateMachine: KeyValueStore });
    const client = await users.connect();
    expectTypeOf(
      await client.propose({ op: "set", key: "a", value: { name: "Ann" } }),
    ).toEqualTypeOf<number>();
    // @ts-expect-error: not a value of this store
    await client.propose({ op: "set", key: "a", value: "Ann" });
  });
});

interface Entry {
  readonly value: number | undefined;
  readonly version: number;
}
