import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Client, Cluster, joinReplica, type Replica } from "@synod/runtime";
import { KeyValueStore } from "@synod/runtime/kv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixture, until } from "../support.js";

let cluster: Cluster<KeyValueStore>;
let client: Client<KeyValueStore>;
const threads: Worker[] = [];
const replicas: Replica<KeyValueStore>[] = [];
/** Commands so far, which are numbered. */
let count = 0;

beforeAll(async () => {
  cluster = await Cluster.start({
    stateMachine: KeyValueStore,
    snapshot: { everyCommands: 2000, tailBytes: 4096 },
    // A thread that ended without a word is noticed after so long.
    sessionTimeoutMs: 1500,
  });
  client = await cluster.connect();
});
afterAll(async () => {
  await Promise.all(replicas.map(replica => replica.close()));
  await Promise.all(threads.map(thread => thread.terminate()));
  await cluster.close();
});

async function load(commands: number): Promise<void> {
  const proposals: Promise<number>[] = [];
  for (let index = 0; index < commands; index++) {
    count += 1;
    proposals.push(client.propose({ op: "set", key: `key ${count % 500}`, value: count }));
    if (proposals.length === 500) await Promise.all(proposals.splice(0));
  }
  await Promise.all(proposals);
}

async function join(): Promise<Replica<KeyValueStore>> {
  const replica = await joinReplica(cluster.handle(), () => new KeyValueStore());
  replicas.push(replica);
  return replica;
}

/** What every replica that has come as far as this must hold. */
function expectCurrent(replica: Replica<KeyValueStore>): void {
  const values = replica.read(machine =>
    Array.from({ length: 500 }, (_, key) => machine.query({ op: "get", key: `key ${key}` })),
  );
  const expected = values.map((_, key) =>
    key <= count % 500 ? count - (count % 500) + key : count - (count % 500) + key - 500,
  );
  expect(values).toEqual(expected);
}

describe("replicas when things go wrong", () => {
  test("one that joins after the log was trimmed begins with a snapshot", async () => {
    await load(10_000);
    await until(
      () => cluster.status(),
      ({ actors }) => actors.some(({ snapshot }) => (snapshot?.instance ?? 0) > 2000),
    );
    const replica = await join();
    await replica.reached(client.seenInstance);
    expectCurrent(replica);
  });

  test("entries are told once each, in order, although the learners die one after the other", async () => {
    const replica = await join();
    const from = replica.appliedInstance + 1;
    const first = count + 1;
    const seen: unknown[] = [];
    let last = from - 1;
    const following = (async () => {
      for await (const { command, instance } of replica.entries({ from })) {
        expect(instance).toBeGreaterThan(last);
        last = instance;
        if (command.op === "set") seen.push(command.value);
        if (command.op === "delete") return;
      }
    })();
    for (const learner of ["learner-0", "learner-1", "learner-0"]) {
      const loading = load(3000);
      await cluster.faults.kill(learner);
      await loading;
      await until(
        () => cluster.status(),
        ({ actors }) => actors.every(({ state }) => state !== "restarting" && state !== "starting"),
      );
    }
    await client.propose({ op: "delete", key: "no such key" });
    await following;
    expect(seen).toEqual(Array.from({ length: count - first + 1 }, (_, index) => first + index));
    await replica.sync();
    expectCurrent(replica);
  });

  test("threads join and read, and one that ends without a word takes nothing down", async () => {
    const workers = [1, 2, 3].map(() => {
      const thread = new Worker(new URL(fixture("replica-thread.mjs")), {
        workerData: { handle: cluster.handle() },
      });
      threads.push(thread);
      return thread;
    });
    const joined = await Promise.all(workers.map(async thread => (await once(thread, "message"))[0].name));
    const names = async () => (await cluster.status()).replicas.map(({ name }) => name);
    expect(await names()).toEqual(expect.arrayContaining(joined));
    const [left, dead, alive] = workers as [Worker, Worker, Worker];
    left.postMessage("close");
    await dead.terminate();
    await load(3000);
    alive.postMessage({ instance: client.seenInstance, key: `key ${count % 500}` });
    expect((await once(alive, "message"))[0]).toEqual({ value: count });
    await until(names, left => !left.includes(joined[0]) && !left.includes(joined[1]));
    // Their lanes are gone from every actor.
    const kept = (await names()).length;
    await until(
      () => cluster.status(),
      ({ actors }) => actors.every(({ mailbox }) => mailbox?.replicas === kept),
    );
    expect(await names()).toContain(joined[2]);
  });
});
