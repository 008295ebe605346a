import { once } from "node:events";
import type { ActorStatus, Client, Cluster, ClusterOptions, SynodError } from "@synod/runtime";
import { describe, expect, test } from "vitest";
import { failures, words } from "./fixtures/snapshot-words.mjs";
import { expectExactlyOnce, type Load, load } from "./load.js";
import { type AnyMachine, expectAgreement, fixture, until, withCluster } from "./support.js";

type Options = Partial<ClusterOptions<AnyMachine>>;

/** What a test sees of a cluster that takes snapshots all the time. */
interface Scene {
  readonly cluster: Cluster<AnyMachine>;
  readonly clients: readonly Client<AnyMachine>[];
  /** See the fixture. */
  readonly tell: Int32Array;
  readonly events: Record<"divergence" | "snapshotFailed", Record<string, unknown>[]>;
}

const snapshot = { everyCommands: 200, tailBytes: 0 };
const learners = ["learner-0", "learner-1"];

async function withScene(options: Options, run: (scene: Scene) => Promise<void>): Promise<void> {
  const memory = new SharedArrayBuffer(64);
  const machine = { stateMachine: fixture("snapshots.mjs"), stateMachineOptions: { memory } };
  await withCluster({ snapshot, ...machine, ...options }, async cluster => {
    const events: Scene["events"] = { divergence: [], snapshotFailed: [] };
    for (const event of ["divergence", "snapshotFailed"] as const) {
      cluster.on(event, (data: object) => events[event].push({ ...data }));
    }
    const clients = await Promise.all([cluster.connect(), cluster.connect()]);
    await run({ cluster, clients, tell: new Int32Array(memory), events });
  });
}

async function actorsOf(cluster: Cluster<AnyMachine>, role: string): Promise<ActorStatus[]> {
  return (await cluster.status()).actors.filter(actor => actor.role === role);
}

/** Snapshots were published that hold so many commands more than what is published now. */
async function untilPublished(cluster: Cluster<AnyMachine>, commands: number): Promise<void> {
  const newest = async () => {
    const all = await actorsOf(cluster, "learner");
    return Math.max(...all.map(({ snapshot: published }) => published?.commands ?? 0));
  };
  const before = await newest();
  await until(newest, seen => seen >= before + commands);
}

/** So many commands more were answered. */
function untilAnswered(loads: readonly Load[], commands: number): Promise<number> {
  const answered = async () => loads.reduce((sum, { settled }) => sum + settled, 0);
  const before = loads.reduce((sum, { settled }) => sum + settled, 0);
  return until(
    () => new Promise<number>(resolve => setImmediate(() => resolve(answered()))),
    seen => seen >= before + commands,
  );
}

async function stopAll(loads: readonly Load[]): Promise<string[][]> {
  return Promise.all(loads.map(one => one.stop()));
}

/** All learners are at work, have the same state, and every answered command is in it once. */
async function expectIntact({ cluster, clients }: Scene, settled: string[][]): Promise<void> {
  await until(
    () => actorsOf(cluster, "learner"),
    seen => seen.every(({ state }) => state === "learning"),
  );
  await expectExactlyOnce(clients[0] as Client<AnyMachine>, settled);
  await expectAgreement(cluster, settled.flat().length);
}

describe.each(["ring", "port"] as const)("%s", mailbox => {
  test("learners are killed under load, one and both: they come back from snapshots, and agree", async () => {
    await withScene({ mailbox }, async scene => {
      const { cluster, clients, events } = scene;
      const loads = clients.map(client => load(client, 50));
      for (let round = 0; round < 3; round++) {
        await untilPublished(cluster, 400);
        const killed = round % 2 === 0 ? [learners[round / 2] as string] : learners;
        await Promise.all(killed.map(name => cluster.faults.kill(name)));
      }
      await untilAnswered(loads, 500);
      const settled = await stopAll(loads);
      await expectIntact(scene, settled);
      expect(events).toEqual({ divergence: [], snapshotFailed: [] });
    });
  });
});

test("while one learner writes a long snapshot the other answers, and takes none itself", async () => {
  await withScene({}, async scene => {
    const { cluster, clients, tell } = scene;
    const loads = clients.map(client => load(client, 50));
    await untilPublished(cluster, 200);
    const writing = async () =>
      (await actorsOf(cluster, "learner")).filter(({ state }) => state === "taking a snapshot");
    tell[words.hold] = 1;
    await until(writing, () => tell[words.held] === 1);
    const [writer] = await until(writing, seen => seen.length === 1);
    const applied = async () => {
      const all = await actorsOf(cluster, "learner");
      return all.map(({ name, appliedBelow }) => [name, appliedBelow ?? 0] as const);
    };
    const before = new Map(await applied());
    await untilAnswered(loads, 5000);
    const query = { consistency: "linearizable" } as const;
    for (const client of clients) expect(await client.query("length", query)).toBeGreaterThan(5000);
    const after = new Map(await applied());
    for (const [name, appliedBelow] of after) {
      if (name === writer?.name) expect(appliedBelow).toBe(before.get(name));
      else expect(appliedBelow).toBeGreaterThan((before.get(name) ?? 0) + 4000);
    }
    expect(tell[words.held]).toBe(1);
    tell[words.hold] = 0;
    await untilPublished(cluster, 400);
    await expectIntact(scene, await stopAll(loads));
  });
});

test("a snapshot() that throws is reported and tried again; nothing is lost", async () => {
  await withScene({}, async scene => {
    const { cluster, clients, tell, events } = scene;
    tell[words.snapshot] = failures.throwsInTheMiddle;
    const loads = clients.map(client => load(client, 50));
    await until(
      () => cluster.status(),
      () => events.snapshotFailed.length >= 2,
    );
    for (const { actor, phase, reason } of events.snapshotFailed) {
      expect(learners).toContain(actor);
      expect({ phase, reason }).toEqual({ phase: "snapshot", reason: "Error: no snapshot today" });
    }
    for (const { snapshot: published } of await actorsOf(cluster, "learner")) expect(published).toBeNull();
    tell[words.snapshot] = failures.none;
    await untilPublished(cluster, 200);
    await expectIntact(scene, await stopAll(loads));
  });
});

test("a restore() that throws is reported and tried again; the other learner answers and publishes", async () => {
  await withScene({}, async scene => {
    const { cluster, clients, tell, events } = scene;
    const loads = clients.map(client => load(client, 50));
    await untilPublished(cluster, 400);
    tell[words.restore] = failures.throws;
    await cluster.faults.kill("learner-0");
    await until(
      () => cluster.status(),
      () => events.snapshotFailed.length >= 3,
    );
    for (const event of events.snapshotFailed) {
      expect(event).toEqual({ actor: "learner-0", phase: "restore", reason: "Error: no restore today" });
    }
    await untilAnswered(loads, 1000);
    tell[words.restore] = failures.none;
    await expectIntact(scene, await stopAll(loads));
  });
});

test("acceptors whose storage is full accept nothing new, until a snapshot succeeds again", async () => {
  const storageBytesMax = 64 * 1024 * 1024;
  await withScene({ storageBytesMax, snapshot: { tailBytes: 0 } }, async ({ cluster, clients, tell }) => {
    const [client] = clients as [Client<AnyMachine>];
    const settled: number[] = [];
    let next = 0;
    const propose = async (timeoutMs: number) => {
      const ids = Array.from({ length: 8 }, () => next++);
      const pad = new Uint8Array(256 * 1024);
      const ends = await Promise.allSettled(ids.map(id => client.propose({ id, pad }, { timeoutMs })));
      return ends.flatMap((end, index) => {
        if (end.status === "rejected") return [end.reason as SynodError];
        settled.push(ids[index] as number);
        return [];
      });
    };
    const isFull = async () => {
      const acceptors = await actorsOf(cluster, "acceptor");
      return acceptors.filter(({ storage }) => (storage?.bytes ?? 0) > 0.9 * storageBytesMax).length >= 2;
    };
    tell[words.snapshot] = failures.throws;
    const ends = await until(
      async () => ({ errors: await propose(1000), full: await isFull() }),
      ({ errors, full }) => full && errors.length > 0,
    );
    for (const { code } of ends.errors) expect(["STORAGE_FAILED", "TIMEOUT"]).toContain(code);
    tell[words.snapshot] = failures.none;
    await until(
      () => propose(10_000),
      errors => errors.length === 0,
    );
    expect(await isFull()).toBe(false);
    const log = (await client.query("log", { consistency: "linearizable" })) as number[];
    expect(new Set(log).size).toBe(log.length);
    expect(log.filter(id => settled.includes(id))).toEqual(settled.sort((one, other) => one - other));
    await expectAgreement(cluster, log.length);
  });
});

test("a learner that pauses for more than it may keep drops the rest, and fetches it afterwards", async () => {
  const options = { storageBytesMax: 1e9, snapshot: { everyCommands: 100 } };
  await withScene(options, async ({ cluster, clients, tell }) => {
    const [client] = clients as [Client<AnyMachine>];
    let next = 0;
    const propose = async (commands: number, padBytes: number) => {
      const pad = new Uint8Array(padBytes);
      await Promise.all(Array.from({ length: commands }, () => client.propose({ id: next++, pad })));
    };
    tell[words.hold] = 1;
    await until(
      () => propose(10, 1),
      () => tell[words.held] === 1,
    );
    // Of 100 MiB it keeps 64.
    for (let round = 0; round < 20; round++) await propose(20, 256 * 1024);
    const chosen = (await actorsOf(cluster, "learner")).map(({ chosenBelow }) => chosenBelow ?? 0);
    expect(Math.max(...chosen) - Math.min(...chosen)).toBeGreaterThan(100);
    tell[words.hold] = 0;
    await expectAgreement(cluster, next);
  });
});

test("commands that both learners die on are answered by their next lives, once", async () => {
  await withScene({}, async scene => {
    const { cluster, clients } = scene;
    const loads = clients.map(client => load(client, 500));
    await untilPublished(cluster, 400);
    for (let round = 0; round < 3; round++) {
      await untilAnswered(loads, 1);
      await Promise.all(learners.map(name => cluster.faults.kill(name)));
    }
    await untilAnswered(loads, 1000);
    await expectIntact(scene, await stopAll(loads));
  });
});

test("a learner that stalls while the others trim comes back by a snapshot", async () => {
  await withScene({ learners: 3 }, async scene => {
    const { cluster, clients, tell } = scene;
    // More than its mailbox holds, or it would have all that it missed from there.
    const loads = clients.map(client => load(client, 50, 4096));
    await untilPublished(cluster, 200);
    const stalled = async () => (await actorsOf(cluster, "learner"))[2] as ActorStatus;
    // On a busy host the others may not get far enough: then once more.
    await until(
      async () => {
        await cluster.faults.pause("learner-2", { ms: 2500 });
        await until(stalled, ({ state }) => state === "unresponsive");
        const others = (await actorsOf(cluster, "learner")).map(({ chosenBelow }) => chosenBelow ?? 0);
        await until(stalled, ({ appliedBelow }) => (appliedBelow ?? 0) >= Math.max(...others));
      },
      () => (tell[words.restored] ?? 0) > 0,
    );
    await expectIntact(scene, await stopAll(loads));
    expect((await stalled()).restarts).toBe(0);
  });
});

test("a snapshot that a learner restores slowly is not overwritten meanwhile", async () => {
  await withScene({ learners: 3 }, async scene => {
    const { cluster, clients, tell, events } = scene;
    const loads = clients.map(client => load(client));
    await untilPublished(cluster, 400);
    // Far longer than a snapshot would last.
    tell[words.restoreStepMs] = 1;
    await cluster.faults.kill("learner-2");
    const last = async () => (await actorsOf(cluster, "learner"))[2] as ActorStatus;
    await until(last, ({ restarts, state }) => restarts === 1 && state === "restoring a snapshot");
    await until(last, ({ state }) => state === "learning" || events.snapshotFailed.length > 0);
    expect(events.snapshotFailed).toEqual([]);
    tell[words.restoreStepMs] = 0;
    await untilPublished(cluster, 400);
    await expectIntact(scene, await stopAll(loads));
  });
});

test("a machine that is not deterministic: the event names where, and who", async () => {
  await withScene({}, async ({ cluster, clients, tell, events }) => {
    tell[words.random] = 1;
    const [client] = clients as [Client<AnyMachine>];
    const diverged = once(cluster, "divergence");
    await Promise.all(Array.from({ length: 500 }, (_, id) => client.propose({ id })));
    const [{ instance, learners: both }] = await diverged;
    expect(instance).toBeLessThan(600);
    expect([...both].sort()).toEqual(learners);
    expect(events.snapshotFailed).toEqual([]);
  });
});
