import { once } from "node:events";
import type { ActorStatus, Client, Cluster, ClusterOptions } from "@synod/runtime";
import { describe, expect, test } from "vitest";
import { failures, words } from "./fixtures/snapshots.mjs";
import { expectExactlyOnce, type Load, load } from "./load.js";
import { type AnyMachine, errorOf, expectAgreement, fixture, until, withCluster } from "./support.js";

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
      for (let round = 0; round < 4; round++) {
        await untilPublished(cluster, 400);
        const killed = round % 2 === 0 ? [learners[(round / 2) % 2] as string] : learners;
        await Promise.all(killed.map(name => cluster.faults.kill(name)));
      }
      await untilAnswered(loads, 500);
      const settled = await stopAll(loads);
      await expectIntact(scene, settled);
      expect(events).toEqual({ divergence: [], snapshotFailed: [] });
    });
  });
});
