import type { Client, Cluster, ClusterOptions } from "@synod/runtime";
import { describe, expect, test } from "vitest";
import { expectExactlyOnce, load } from "../load.js";
import { type AnyMachine, errorOf, expectAgreement, fixture, start, until, withCluster } from "../support.js";

type Mode = NonNullable<ClusterOptions<AnyMachine>["threads"]>;

const layouts: Record<Mode, Record<string, string[]>> = {
  isolated: Object.fromEntries(
    ["proposer-0", "proposer-1", "acceptor-0", "acceptor-1", "acceptor-2", "learner-0", "learner-1"].map(
      name => [name, [name]],
    ),
  ),
  compact: {
    "thread-0": ["proposer-0", "acceptor-0", "learner-0"],
    "thread-1": ["proposer-1", "acceptor-1", "learner-1"],
    "thread-2": ["acceptor-2"],
  },
  single: {
    "thread-0": [
      ...["proposer-0", "proposer-1", "acceptor-0", "acceptor-1", "acceptor-2", "learner-0", "learner-1"],
    ],
  },
};

interface Heard {
  readonly event: "actorDown" | "actorUp" | "actorFailed";
  readonly actor: string;
  readonly thread: string;
}

/** Who goes and comes, in the order of the events; expects exactly these. */
function listen(cluster: Cluster<AnyMachine>): (expected: readonly Heard[]) => Promise<void> {
  const heard: Heard[] = [];
  let notice = (): void => {};
  for (const event of ["actorDown", "actorUp", "actorFailed"] as const) {
    cluster.on(event, ({ actor, thread }) => {
      heard.push({ event, actor, thread });
      notice();
    });
  }
  return async expected => {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not within 30 s: ${JSON.stringify(heard)}`)), 30_000);
      notice = () => {
        if (heard.length < expected.length) return;
        clearTimeout(late);
        resolve();
      };
      notice();
    });
    expect(heard).toEqual(expected);
  };
}

/** All of a thread's actors, with what happened to each. */
function each(mode: Mode, thread: string, event: Heard["event"]): Heard[] {
  return (layouts[mode][thread] ?? []).map(actor => ({ event, actor, thread }));
}

async function threadOfLeader(cluster: Cluster<AnyMachine>): Promise<{ leader: string; thread: string }> {
  const { leader, actors } = await until(
    () => cluster.status(),
    seen => seen.leader !== null,
  );
  return { leader: leader as string, thread: actors.find(({ name }) => name === leader)?.thread as string };
}

/** Kills the thread of an actor, and expects all that it hosts to go and to come back, and nobody else. */
async function killThread(cluster: Cluster<AnyMachine>, mode: Mode, actor: string, thread: string) {
  const hears = listen(cluster);
  await cluster.faults.kill(actor);
  await hears([...each(mode, thread, "actorDown"), ...each(mode, thread, "actorUp")]);
}

describe.each([
  ["compact", "ring"],
  ["single", "ring"],
  ["compact", "port"],
  ["single", "port"],
] as const)("%s, %s", (mode, mailbox) => {
  test("threads are killed under load: their actors come back together, and nothing is lost", async () => {
    const options = { threads: mode, mailbox, leaseMs: 200, snapshot: { everyCommands: 200 } };
    await withCluster(options, async cluster => {
      const { actors } = await cluster.status();
      for (const [thread, hosted] of Object.entries(layouts[mode])) {
        expect(actors.filter(actor => actor.thread === thread).map(({ name }) => name)).toEqual(hosted);
      }
      const clients = await Promise.all([cluster.connect(), cluster.connect()]);
      const loads = clients.map(client => load(client));
      // From now on a learner that comes back restores a snapshot and asks for the log from there.
      await until(
        async () => (await cluster.status()).actors.filter(({ snapshot }) => snapshot != null),
        found => found.length > 0,
      );
      await killThread(cluster, mode, "acceptor-1", mode === "single" ? "thread-0" : "thread-1");
      const before = loads.map(({ settled }) => settled);
      await until(
        () => cluster.status().then(() => loads.map(({ settled }) => settled)),
        now => now.every((settled, at) => settled > (before[at] as number)),
      );
      const { leader, thread } = await threadOfLeader(cluster);
      await killThread(cluster, mode, leader, thread);
      const settled = await Promise.all(loads.map(one => one.stop()));
      await expectExactlyOnce(clients[0] as Client<AnyMachine>, settled);
      await expectAgreement(cluster, settled.flat().length);
      const incarnations = (await cluster.status()).actors.map(({ incarnation }) => incarnation);
      expect(new Set(incarnations).size).toBe(incarnations.length);
    });
  });
});

test("what a thread hosts stalls with it, is shown, and can be killed", async () => {
  await withCluster({ threads: "single" }, async cluster => {
    const client = await cluster.connect();
    await cluster.faults.pause("learner-1", { ms: 600_000 });
    const { actors } = await cluster.status();
    expect(new Set(actors.map(({ state }) => state))).toEqual(new Set(["unresponsive"]));
    const waiting = client.propose("meanwhile");
    await cluster.faults.kill("acceptor-0");
    expect(await waiting).toBe("meanwhile");
    await cluster.transferLeadership("proposer-1");
    await cluster.transferLeadership("proposer-0");
    expect(await client.propose("after")).toBe("after");
  });
});

test("a client that was idle, and has all the time of the world, looks for another leader at once", async () => {
  // Nothing else that it has to do comes within days.
  const options = { threads: "compact", leaseMs: 100, sessionTimeoutMs: 2 ** 31 - 1 } as const;
  await withCluster(options, async cluster => {
    const client = await cluster.connect();
    const { leader } = await threadOfLeader(cluster);
    await cluster.faults.pause(leader, { ms: 600_000 });
    // Waits for those that do not answer: long enough for the client's timer to find nothing to do.
    await cluster.status();
    expect(await client.propose("meanwhile", { timeoutMs: 2 ** 31 - 1 })).toBe("meanwhile");
    await cluster.faults.kill(leader);
  });
});

test("an acceptor with its storage on its heap stays down, and the others of its thread come back", async () => {
  await withCluster({ threads: "compact", storage: "heap" }, async cluster => {
    const client = await cluster.connect();
    const hears = listen(cluster);
    await cluster.faults.kill("learner-1");
    const thread = "thread-1";
    await hears([
      ...each("compact", thread, "actorDown"),
      { event: "actorFailed", actor: "acceptor-1", thread },
      { event: "actorUp", actor: "proposer-1", thread },
      { event: "actorUp", actor: "learner-1", thread },
    ]);
    expect(await client.propose("after")).toBe("after");
    const { actors } = await cluster.status();
    expect(actors.find(({ name }) => name === "acceptor-1")).toMatchObject({ state: "failed", restarts: 0 });
    expect(actors.find(({ name }) => name === "learner-1")).toMatchObject({ state: "learning", restarts: 1 });
    await errorOf(cluster.faults.pause("acceptor-1", { ms: 5 }), "ACTOR_FAILED");
  });
});

test("what keeps a learner from starting again gives up all that its thread hosts, and nobody else", async () => {
  const memory = new SharedArrayBuffer(8);
  const options = { stateMachine: fixture("mortal.mjs"), stateMachineOptions: { memory } };
  await withCluster({ ...options, threads: "compact", restarts: { max: 1 } }, async cluster => {
    const hears = listen(cluster);
    const client = await cluster.connect();
    new Int32Array(memory)[0] = 1;
    await cluster.faults.kill("proposer-1");
    const downs = each("compact", "thread-1", "actorDown");
    await hears([...downs, ...downs, ...downs, ...each("compact", "thread-1", "actorFailed")]);
    expect(await client.propose({ id: 1 })).toEqual({ id: 1 });
  });
});

test("a cluster that does not start", async () => {
  const throwing = { url: fixture("machine.mjs"), export: "Throws" };
  const { message } = await errorOf(
    start({ threads: "single", stateMachine: throwing }),
    "STATE_MACHINE_NOT_LOADED",
  );
  expect(message).toContain("not today");
  const unknown = await errorOf(start({ threads: "double" as unknown as Mode }), "INVALID_OPTIONS");
  expect(unknown.message).toContain(`the option threads is "double"`);
  for (const mode of Object.keys(layouts)) expect(unknown.message).toContain(mode);
});
