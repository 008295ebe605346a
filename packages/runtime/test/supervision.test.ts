import { execFile } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ActorStatus, Client, Cluster } from "@synod/runtime";
import { describe, expect, test } from "vitest";
import { expectExactlyOnce, load } from "./load.js";
import { type AnyMachine, errorOf, expectAgreement, fixture, until, withCluster } from "./support.js";

const mortal = fixture("mortal.mjs");

/** All events of a cluster, in their order, each with its name. */
function listen(cluster: Cluster<AnyMachine>): Record<string, unknown>[] {
  const heard: Record<string, unknown>[] = [];
  for (const event of ["leaderChanged", "actorDown", "actorUp", "actorFailed"] as const) {
    cluster.on(event, (data: object) => heard.push({ event, ...data }));
  }
  return heard;
}

async function actorOf(cluster: Cluster<AnyMachine>, name: string): Promise<ActorStatus> {
  return (await cluster.status()).actors.find(actor => actor.name === name) as ActorStatus;
}

function untilState(cluster: Cluster<AnyMachine>, name: string, state: string): Promise<ActorStatus> {
  return until(
    () => actorOf(cluster, name),
    actor => actor.state === state,
  );
}

async function leaderOf(cluster: Cluster<AnyMachine>): Promise<string> {
  const { leader } = await until(
    () => cluster.status(),
    seen => seen.leader !== null,
  );
  return leader as string;
}

const deaths: Record<string, string> = {
  exit: "worker exited with code: 7, restarts",
  uncaught: "died by uncaught, restarts",
  unhandled: "died by unhandled, restarts",
  throw: "died by throw, restarts",
  heap: "Worker terminated due to reaching memory limit: JS heap out of memory, restarts",
};
/** From Node 24 on a thread that fills its heap ends the process, with or without Synod: the README says so. */
const nodeMajor = Number(process.versions.node.split(".")[0]);
const ways = Object.keys(deaths).filter(way => way !== "heap" || nodeMajor < 24);

describe.each(["ring", "port"] as const)("%s", mailbox => {
  test("a learner's thread dies in every way: its cluster goes on, and the process ends by itself", async () => {
    const script = fileURLToPath(fixture("survives.mjs"));
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--max-old-space-size=100", script, mailbox, ways.join()],
      { timeout: 50_000 },
    );
    expect(stdout.trimEnd().split("\n")).toEqual([
      ...ways.map(way => `${way}: ${deaths[way]}`),
      "all commands once and in order",
      "uncaught in the main thread: a listener's",
      "closed",
    ]);
    expect(stderr).toBe("");
  });

  test("what waits for a leader that stalls holds up nothing for the next one", async () => {
    await withCluster({ leaseMs: 200 }, async cluster => {
      const client = await cluster.connect();
      const stalled = await leaderOf(cluster);
      await cluster.faults.pause(stalled, { ms: 600_000 });
      // Several times what its lane takes.
      const large = Array.from({ length: 64 }, () => ({ x: new Uint8Array(100_000) }));
      const results = await Promise.all(large.map(command => client.propose(command, { timeoutMs: 50_000 })));
      expect(results).toHaveLength(64);
      expect((await actorOf(cluster, stalled)).state).toBe("unresponsive");
      await cluster.faults.kill(stalled);
    });
  });

  test("a learner that dies in an idle cluster has all again long before the lease is over", async () => {
    await withCluster({ mailbox, leaseMs: 600_000 }, async cluster => {
      const client = await cluster.connect();
      await client.propose({ x: 1 });
      const { appliedBelow } = await until(
        () => actorOf(cluster, "learner-1"),
        ({ appliedBelow: below }) => (below ?? 0) > client.seenInstance,
      );
      await cluster.faults.kill("learner-1");
      const back = await until(
        () => actorOf(cluster, "learner-1"),
        ({ appliedBelow: below, restarts }) => restarts > 0 && below === appliedBelow,
      );
      expect(back.state).toBe("learning");
    });
  });

  test("threads are killed while commands flow: none is lost, none comes twice, order is kept", async () => {
    await withCluster({ mailbox, leaseMs: 200 }, async cluster => {
      // Before anything is applied, a learner can have all that it missed from the acceptors.
      await Promise.all(["learner-0", "learner-1", "learner-1"].map(name => cluster.faults.kill(name)));
      const clients = await Promise.all([cluster.connect(), cluster.connect()]);
      for (const name of ["learner-0", "learner-1"]) await untilState(cluster, name, "learning");
      const loads = clients.map(client => load(client));
      const heard = listen(cluster);
      const killed: string[] = [];
      for (const name of ["acceptor-0", "acceptor-1", "leader", "acceptor-2", "leader"]) {
        const actor = name === "leader" ? await leaderOf(cluster) : name;
        killed.push(actor);
        const up = once(cluster, "actorUp");
        const elected = name === "leader" ? once(cluster, "leaderChanged") : undefined;
        await cluster.faults.kill(actor);
        await Promise.all([up, elected]);
      }
      const settled = await Promise.all(loads.map(one => one.stop()));
      await expectExactlyOnce(clients[0] as Client<AnyMachine>, settled);
      await expectAgreement(cluster, settled.flat().length);
      const lives = heard.filter(({ event }) => event !== "leaderChanged");
      expect(lives.map(({ event, actor }) => `${event} ${actor}`)).toEqual(
        killed.flatMap(actor => [`actorDown ${actor}`, `actorUp ${actor}`]),
      );
      for (const { name, restarts, lastEnd, error } of (await cluster.status()).actors) {
        const times = killed.filter(actor => actor === name).length;
        if (!name.startsWith("learner")) expect({ name, restarts }).toEqual({ name, restarts: times });
        else expect(restarts).toBeGreaterThan(0);
        expect(lastEnd).toBe(restarts > 0 ? "killed by faults.kill()" : null);
        expect(error).toBeUndefined();
      }
    });
  });
});

test("a learner that dies under load leaves the others and their clients undisturbed", async () => {
  await withCluster({}, async cluster => {
    const clients = await Promise.all([cluster.connect(), cluster.connect()]);
    const loads = clients.map(client => load(client));
    await clients[0]?.propose({ id: "" });
    const up = once(cluster, "actorUp");
    await cluster.faults.kill("learner-0");
    await up;
    const settled = await Promise.all(loads.map(one => one.stop()));
    await expectExactlyOnce(clients[1] as Client<AnyMachine>, [[""], ...settled]);
  });
});

test("what does not start again is given up; the rest goes on", async () => {
  const memory = new SharedArrayBuffer(8);
  const options = { stateMachine: mortal, stateMachineOptions: { memory }, restarts: { max: 2 } };
  await withCluster(options, async cluster => {
    const heard = listen(cluster);
    new Int32Array(memory)[0] = 1;
    const failed = once(cluster, "actorFailed");
    await cluster.faults.kill("learner-1");
    await failed;
    const why = expect.stringContaining("not in this life");
    const actor = "learner-1";
    expect(heard.filter(({ event }) => event !== "leaderChanged")).toEqual([
      { event: "actorDown", actor, thread: actor, reason: "killed by faults.kill()", willRestart: true },
      { event: "actorDown", actor, thread: actor, reason: why, willRestart: true },
      { event: "actorDown", actor, thread: actor, reason: why, willRestart: true },
      { event: "actorDown", actor, thread: actor, reason: why, willRestart: false },
      {
        event: "actorFailed",
        actor,
        thread: actor,
        reason: expect.stringMatching(/not in this life.* restarted 2 times/),
      },
    ]);
    const { state, error, restarts, lastEnd } = await actorOf(cluster, actor);
    expect({ state, error, restarts, lastEnd }).toEqual({
      state: "failed",
      error: expect.stringContaining("restarted 2 times within 60000 ms"),
      restarts: 3,
      lastEnd: why,
    });
    await cluster.faults.kill(actor);
    await errorOf(cluster.faults.pause(actor, { ms: 1 }), "ACTOR_FAILED");
    const clients = await Promise.all([cluster.connect(), cluster.connect()]);
    expect(await Promise.all(clients.map((client, id) => client.propose({ id })))).toEqual([
      { id: 0 },
      { id: 1 },
    ]);
    const names = (await cluster.inspect({ stateDigest: true })).map(({ name }) => name);
    expect(names).toContain("learner-0");
    expect(names).not.toContain(actor);
  });
});

test("an acceptor with its storage on its heap never votes again, and a quorum goes on without it", async () => {
  await withCluster({ storage: "heap" }, async cluster => {
    const client = await cluster.connect();
    const heard = listen(cluster);
    await cluster.faults.kill("acceptor-1");
    const struck = { actor: "acceptor-1", thread: "acceptor-1" };
    expect(heard.filter(({ event }) => event !== "leaderChanged")).toEqual([
      { event: "actorDown", ...struck, reason: "killed by faults.kill()", willRestart: false },
      { event: "actorFailed", ...struck, reason: expect.stringContaining("must not vote again") },
    ]);
    const up = once(cluster, "actorUp");
    await cluster.faults.kill("proposer-1");
    expect((await up)[0]).toMatchObject({ actor: "proposer-1" });
    expect(await client.propose("after")).toBe("after");
    expect((await actorOf(cluster, "acceptor-1")).state).toBe("failed");
  });
});

test("kills that meet an actor in the middle of its start, or each other", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    const heard = listen(cluster);
    for (let kill = 0; kill < 10; kill++) await cluster.faults.kill("acceptor-0");
    await Promise.all(["acceptor-0", "acceptor-0", "acceptor-1"].map(name => cluster.faults.kill(name)));
    await untilState(cluster, "acceptor-0", "accepting");
    const { restarts } = await untilState(cluster, "acceptor-1", "accepting");
    expect(restarts).toBe(1);
    expect(await client.propose("after")).toBe("after");
    const downs = heard.filter(({ event, actor }) => event === "actorDown" && actor === "acceptor-0");
    expect(downs).toHaveLength(11);
    expect(heard.filter(({ event }) => event === "actorFailed")).toEqual([]);
  });
});

test("a leader that stalls is replaced, and neither commits nor answers when it wakes up", async () => {
  await withCluster({ leaseMs: 100 }, async cluster => {
    const client = await cluster.connect();
    const stalled = await leaderOf(cluster);
    const running = load(client);
    const heard = listen(cluster);
    // On a busy host one stall may end before the other proposer had its turn: then once more.
    await until(
      () => cluster.faults.pause(stalled, { ms: 1000 }).then(() => cluster.status()),
      () => heard.length > 0,
    );
    expect(heard[0]).toMatchObject({ event: "leaderChanged", leader: expect.not.stringContaining(stalled) });
    await untilState(cluster, stalled, "following");
    const settled = await running.stop();
    await expectExactlyOnce(client, [settled]);
    await expectAgreement(cluster, settled.length);
  });
});

test("a thread that stalls is shown, waited for by nobody, and can be killed", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    const stalled = await leaderOf(cluster);
    const elected = once(cluster, "leaderChanged");
    await cluster.faults.pause(stalled, { ms: 600_000 });
    const late = cluster.faults.pause(stalled, { ms: 5 });
    const [actor, inspections, , other] = await Promise.all([
      actorOf(cluster, stalled),
      cluster.inspect(),
      errorOf(cluster.transferLeadership(stalled), "ACTOR_FAILED"),
      cluster.connect(),
    ]);
    expect(actor).toMatchObject({ state: "unresponsive", restarts: 0, lastEnd: null });
    expect(inspections.map(({ name }) => name)).not.toContain(stalled);
    expect(await client.propose("meanwhile")).toBe("meanwhile");
    expect(await other.propose("as well")).toBe("as well");
    await elected;
    const up = once(cluster, "actorUp");
    await cluster.faults.kill(stalled);
    await errorOf(late, "ACTOR_FAILED");
    expect((await up)[0]).toMatchObject({ actor: stalled });
    await untilState(cluster, stalled, "following");
    // Closing does not wait for it either.
    await cluster.faults.pause(stalled, { ms: 600_000 });
  });
});

test("faults that make no sense", async () => {
  await withCluster({ acceptors: 1, learners: 1, proposers: 1 }, async cluster => {
    const { message } = await errorOf(cluster.faults.kill("acceptor-7"), "INVALID_OPTIONS");
    expect(message).toContain("proposer-0, acceptor-0, learner-0");
    await errorOf(cluster.faults.pause("client-1", { ms: 5 }), "INVALID_OPTIONS");
    for (const ms of [0, -1, 1.5, Number.NaN, 600_001, "5" as unknown as number]) {
      expect((await errorOf(cluster.faults.pause("learner-0", { ms }), "INVALID_OPTIONS")).path).toBe("ms");
    }
    // @ts-expect-error there is no such event
    cluster.on("error", () => undefined);
    // @ts-expect-error an event has its own fields
    cluster.off("actorUp", ({ willRestart }) => willRestart);
    await cluster.close();
    await errorOf(cluster.faults.kill("learner-0"), "CLUSTER_CLOSED");
    await errorOf(cluster.faults.pause("learner-0", { ms: 5 }), "CLUSTER_CLOSED");
  });
});
