import type { Client } from "@synod/runtime";
import { Cluster } from "@synod/runtime";
import KeyValueStore from "@synod/runtime/kv";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type AnyMachine, expectAgreement, withCluster } from "./support.js";

describe.each([
  ["ring", "multi-paxos"],
  ["ring", "basic-paxos"],
  ["port", "multi-paxos"],
  ["port", "basic-paxos"],
] as const)("%s, %s", (mailbox, protocol) => {
  test("three clients: results in order, learners agree", async () => {
    await withCluster({ mailbox, protocol }, async cluster => {
      const clients = await Promise.all([cluster.connect(), cluster.connect(), cluster.connect()]);
      const perClient = protocol === "multi-paxos" ? 3000 : 100;
      const settled: string[][] = clients.map(() => []);
      await Promise.all(
        clients.flatMap((client, c) =>
          Array.from({ length: perClient }, async (_, i) => {
            const id = `${c}:${i}`;
            expect(await client.propose({ id, n: i })).toEqual({ id, n: i });
            settled[c]?.push(id);
          }),
        ),
      );
      settled.forEach((ids, c) => {
        expect(ids).toEqual(Array.from({ length: perClient }, (_, i) => `${c}:${i}`));
      });
      const log = (await (clients[0] as Client<AnyMachine>).query("log")) as string[];
      for (const ids of settled)
        expect(log.filter(id => ids[0]?.[0] === id[0]).slice(0, ids.length)).toEqual(ids);
      await expectAgreement(cluster, 3 * perClient);
      expect((await cluster.status()).leader).not.toBeNull();
    });
  });

  test("a command of 3 MiB and a result of 3 MiB, between small ones", async () => {
    await withCluster({ mailbox, protocol }, async cluster => {
      const client = await cluster.connect();
      const size = 3 * 1024 * 1024;
      const big = new Uint8Array(size).map((_, index) => index % 251);
      const [before, echoed, made, after] = await Promise.all([
        client.propose("before"),
        client.propose({ id: 1, big }),
        client.propose({ id: 2, do: "bytes", length: size, fill: 9 }),
        client.propose("after"),
      ]);
      expect(before).toBe("before");
      expect(Buffer.compare(echoed.big, big)).toBe(0);
      expect(made).toHaveLength(size);
      expect(after).toBe("after");
      expect(Buffer.compare((await client.query({ big })).big, big)).toBe(0);
      await expectAgreement(cluster, 4);
    });
  });
});

test("types flow from the machine, and a client reads what it wrote", async () => {
  const cluster = await Cluster.start({ stateMachine: KeyValueStore });
  try {
    const clients = await Promise.all(Array.from({ length: 4 }, () => cluster.connect()));
    await Promise.all(
      clients.map(async (client, c) => {
        for (let i = 0; i < 25; i++) {
          const at = await client.propose({ op: "set", key: `k${c}`, value: i });
          expectTypeOf(at).toEqualTypeOf<number>();
          expect(at).toBeGreaterThan(0);
          expect(await client.query({ op: "get", key: `k${c}` })).toBe(i);
        }
      }),
    );
    const [client] = clients;
    // @ts-expect-error not a command of this machine
    await expect(client?.propose({ op: "increment" })).rejects.toMatchObject({
      code: "STATE_MACHINE_FAILED",
    });
    expect(await client?.query({ op: "size" })).toBe(4);
    expect(await client?.propose({ op: "delete", key: "none" })).toBe(-1);
  } finally {
    await cluster.close();
  }
});

test.each([
  { acceptors: 4, quorums: { prepare: 3, accept: 2 } },
  { acceptors: 4, quorums: { prepare: 2, accept: 3 } },
  { acceptors: 5, quorums: { prepare: 5, accept: 1 } },
  { proposers: 1, acceptors: 1, learners: 1 },
  { proposers: 3, acceptors: 5, learners: 3 },
  { batch: { commandsMax: 1, bytesMax: 1 }, pipeline: { batchesMax: 1 } },
  { trace: true },
  { batch: { lingerMs: 2 } },
  { batch: { lingerMs: 2, adaptive: false }, protocol: "basic-paxos" as const },
  { digest: true },
  { distinguishedLearner: true },
  { digest: true, distinguishedLearner: true, learners: 3 },
  { digest: true, distinguishedLearner: true, mailbox: "port" as const },
  { digest: true, protocol: "basic-paxos" as const },
])("shape %o", async options => {
  await withCluster(options, async cluster => {
    const client = await cluster.connect();
    const results = await Promise.all(Array.from({ length: 200 }, (_, id) => client.propose({ id })));
    expect(results.map(result => result.id)).toEqual(results.map((_, id) => id));
    expect(await client.query("length")).toBe(200);
    await expectAgreement(cluster, 200);
    for (const { role, digestMismatches } of (await cluster.status()).actors) {
      if (role === "learner") expect(digestMismatches).toEqual({ count: 0, last: null });
    }
  });
});

test("instances and the leader's time never go back", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    let last = { instance: -1, timeMs: 0 };
    for (let i = 0; i < 20; i++) {
      const at = (await client.propose({ do: "position" })) as typeof last;
      expect(at.instance).toBeGreaterThan(last.instance);
      expect(at.timeMs).toBeGreaterThanOrEqual(last.timeMs);
      last = at;
    }
  });
});

test("several clusters in one process do not know of each other", async () => {
  await withCluster({ acceptors: 1, proposers: 1, learners: 1 }, async first => {
    await withCluster({ acceptors: 1, proposers: 1, learners: 1, mailbox: "port" }, async second => {
      const [one, two] = await Promise.all([first.connect(), second.connect()]);
      await Promise.all([one.propose({ id: 1 }), two.propose({ id: 2 }), two.propose({ id: 3 })]);
      expect(await one.query("log")).toEqual([1]);
      expect(await two.query("log")).toEqual([2, 3]);
      await first.close();
      expect(await two.propose({ id: 4 })).toEqual({ id: 4 });
    });
  });
});

test("a client that closes leaves the others undisturbed", async () => {
  await withCluster({}, async cluster => {
    const [one, two] = await Promise.all([cluster.connect(), cluster.connect()]);
    const open = one.propose("lost?").catch((error: unknown) => error);
    await one.close();
    await one.close();
    expect(await open).toMatchObject({ code: "CLUSTER_CLOSED" });
    await expect(one.propose(1)).rejects.toMatchObject({ code: "CLUSTER_CLOSED", outcome: "not-applied" });
    expect(await two.propose(2)).toBe(2);
    expect((await cluster.status()).clients).toEqual([two.name]);
  });
});
