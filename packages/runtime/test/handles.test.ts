import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Cluster, type ClusterHandle, type ClusterOptions, connect } from "@synod/runtime";
import { afterEach, describe, expect, test } from "vitest";
import { errorOf, fixture, until } from "./support.js";

interface CounterMachine {
  apply(command: { by: number } | "time" | "gate"): number;
  query(query: null): number;
  snapshot(): Iterable<number>;
  restore(chunks: AsyncIterable<number>): Promise<void>;
}

let cluster: Cluster<CounterMachine>;
const threads: Worker[] = [];

async function start(options: Partial<ClusterOptions<CounterMachine>> = {}): Promise<void> {
  cluster = await Cluster.start<CounterMachine>({ stateMachine: fixture("counter.mjs"), ...options });
}

afterEach(async () => {
  await cluster.close();
  await Promise.all(threads.splice(0).map(thread => thread.terminate()));
});

/** A thread that does one of the jobs of client-thread.mjs. */
function run(job: string, data: { count?: number; gate?: SharedArrayBuffer } = {}): Worker {
  const workerData = { job, handle: cluster.handle(), ...data };
  const thread = new Worker(new URL(fixture("client-thread.mjs")), { workerData });
  threads.push(thread);
  return thread;
}

// biome-ignore lint/suspicious/noExplicitAny: what a job posts is known to the test that runs it
const posted = async (thread: Worker): Promise<any> => (await once(thread, "message"))[0];

/** Nobody has lanes any more but these. */
async function expectClients(names: readonly string[]): Promise<void> {
  await until(
    () => cluster.status(),
    ({ clients, actors }) =>
      clients.join() === names.join() &&
      actors.every(({ mailbox }) => (mailbox?.clients ?? names.length) === names.length),
  );
}

describe("clients on other threads", () => {
  test("add concurrently: each command once, each client's in order, and leave nothing", async () => {
    await start();
    const reports = await Promise.all([1, 2, 3].map(() => posted(run("add", { count: 300 }))));
    for (const { results, total } of reports) {
      expect(results).toEqual([...results].sort((a, b) => a - b));
      expect(total).toBeGreaterThanOrEqual(results.at(-1));
    }
    const all = reports.flatMap(({ results }) => results).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
    await expectClients([]);
  });

  test("connect and commit while the thread that started the cluster is blocked", async () => {
    await start();
    const gate = new SharedArrayBuffer(8);
    const words = new Int32Array(gate);
    const workers = [1, 2].map(() => run("addAtGate", { count: 20, gate }));
    await Promise.all(workers.map(posted));
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    for (let done = 0; done < 2; done = Atomics.load(words, 1)) {
      expect(Atomics.wait(words, 1, done, 20_000)).not.toBe("timed-out");
    }
    const client = await cluster.connect();
    expect(await client.query(null, { consistency: "linearizable" })).toBe(40);
    await expectClients([client.name]);
  });

  test("end without a word: the others go on, and the lanes are taken away", async () => {
    await start({ sessionTimeoutMs: 400 });
    const client = await cluster.connect();
    const thread = run("addForEver");
    const name = await posted(thread);
    expect((await cluster.status()).clients).toEqual([client.name, name]);
    await thread.terminate();
    const total = await client.propose({ by: 1 });
    expect(await client.propose({ by: 1 })).toBeGreaterThan(total);
    await expectClients([client.name]);
  });

  test("stand still until they are taken for dead, and come back", async () => {
    const sessionTimeoutMs = 400;
    await start({ sessionTimeoutMs });
    const client = await cluster.connect();
    const gate = new SharedArrayBuffer(4);
    const thread = run("standStill", { gate });
    const report = posted(thread).then(() => posted(thread));
    await until(
      () => cluster.status(),
      ({ clients }) => clients.length === 2,
    );
    await expectClients([client.name]);
    const goneAtMs = await client.propose("time");
    await until(
      () => client.propose("time"),
      timeMs => timeMs > goneAtMs + sessionTimeoutMs,
    );
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    expect(await report).toEqual({ code: "SESSION_EXPIRED", total: 2 });
    await expectClients([client.name]);
  });

  test("come and go, fifty of them", async () => {
    await start();
    expect(await posted(run("comeAndGo", { count: 50 }))).toBeUndefined();
    await expectClients([]);
    const client = await cluster.connect();
    expect(await client.query(null, { consistency: "linearizable" })).toBe(50);
  });

  test("settle everything when the cluster closes, and end", async () => {
    const gate = new SharedArrayBuffer(4);
    await start({ stateMachineOptions: gate });
    const workers = [1, 2].map(() => run("waitForClose"));
    await Promise.all(workers.map(posted));
    for (const worker of workers) worker.postMessage("go");
    await Promise.all(workers.map(posted));
    const reports = workers.map(posted);
    const exits = workers.map(worker => once(worker, "exit"));
    const handle = cluster.handle();
    const closed = cluster.close();
    for (const codes of await Promise.all(reports)) expect(codes).toEqual(Array(5).fill("CLUSTER_CLOSED"));
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    await closed;
    expect(await Promise.all(exits)).toEqual([[0], [0]]);
    await errorOf(connect(handle), "CLUSTER_CLOSED");
  });

  test("keep no thread alive once nothing is open", async () => {
    await start();
    const thread = run("forget");
    expect(await once(thread, "exit")).toEqual([0]);
  });
});

describe("a handle", () => {
  test("works on the thread that started the cluster as well, and tells types", async () => {
    await start();
    const client = await connect(structuredClone(cluster.handle()));
    // @ts-expect-error: the machine knows no such command
    const refused = client.propose("add", { timeoutMs: -1 });
    await errorOf(refused, "INVALID_OPTIONS");
    const total: number = await client.propose({ by: 2 });
    expect(total).toBe(2);
    await client.close();
    await expectClients([]);
  });

  test("is not given out by a cluster of ports", async () => {
    await start({ mailbox: "port" });
    expect(() => cluster.handle()).toThrow(
      expect.objectContaining({ code: "INVALID_OPTIONS", path: "mailbox" }),
    );
  });

  test("is not given out by a closed cluster", async () => {
    await start();
    await cluster.close();
    expect(() => cluster.handle()).toThrow(expect.objectContaining({ code: "CLUSTER_CLOSED" }));
  });

  test("that is none is refused", async () => {
    await start();
    const handle = cluster.handle();
    const memory = new SharedArrayBuffer(handle.memory.byteLength);
    const forged = [
      undefined,
      null,
      7,
      {},
      JSON.parse(JSON.stringify(handle)),
      { ...handle, memory },
      { ...handle, memory: new SharedArrayBuffer(1) },
      { ...handle, entrances: [{ name: "learner-0", doorbell: {} }] },
    ];
    for (const none of forged) {
      const error = await errorOf(connect(none as ClusterHandle), "INVALID_OPTIONS");
      expect(error.path).toBe("handle");
    }
  });
});
