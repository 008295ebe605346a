import type { Client, Cluster, SynodErrorCode } from "@synod/runtime";
import { expect, test } from "vitest";
import { type AnyMachine, errorOf, fixture, until, withCluster } from "./support.js";

const counter = fixture("counter.mjs");
const leaseMs = 100;
const acceptors = ["acceptor-0", "acceptor-1", "acceptor-2"];

/** Everything that one can ask for, each until its deadline. */
async function expectAll(client: Client<AnyMachine>, code: SynodErrorCode): Promise<void> {
  // Long enough for a lease to run out, and for everybody to be asked in vain.
  const timeoutMs = 1500;
  const query = (consistency: "linearizable" | "sequential") =>
    errorOf(client.query("total", { consistency, timeoutMs }), code);
  const propose = errorOf(client.propose({ by: 1 }, { timeoutMs }), code);
  const [proposed, linearizable, sequential] = await Promise.all([
    propose,
    query("linearizable"),
    query("sequential"),
  ]);
  expect(proposed).toMatchObject({
    outcome: "unknown",
    message: expect.stringContaining("cluster.status()"),
  });
  expect([linearizable.outcome, sequential.outcome]).toEqual(["not-applied", "not-applied"]);
}

const pauseAll = (cluster: Cluster<AnyMachine>, names: readonly string[], ms: number) =>
  Promise.all(names.map(name => cluster.faults.pause(name, { ms })));

test("without a quorum of acceptors everything ends with NO_QUORUM at its deadline, and nothing else does", async () => {
  await withCluster({ stateMachine: counter, leaseMs, storage: "heap" }, async cluster => {
    const client = await cluster.connect();
    expect(await client.propose({ by: 1 })).toBe(1);
    // Nobody restarts it: what it had promised is gone.
    await Promise.all(["acceptor-0", "acceptor-1"].map(name => cluster.faults.kill(name)));
    const propose = errorOf(client.propose({ by: 1 }, { timeoutMs: 1500 }), "NO_QUORUM");
    expect((await propose).outcome).toBe("unknown");
    // Now the lease is over, by which the leader may answer without a quorum.
    const consistency = "linearizable";
    const query = errorOf(client.query("total", { consistency, timeoutMs: 1500 }), "NO_QUORUM");
    expect((await query).outcome).toBe("not-applied");
    // A learner answers what this client has seen: that takes no leader.
    expect(await client.query("total")).toBe(1);
    // Shorter than anybody could be asked.
    const short = await errorOf(client.propose({ by: 1 }, { timeoutMs: 1 }), "NO_QUORUM");
    expect(short.message).toContain("acceptors");
  });
});

test("no learner answers while there is no quorum: a sequential query tells it too", async () => {
  await withCluster({ stateMachine: counter, leaseMs }, async cluster => {
    const client = await cluster.connect();
    await pauseAll(cluster, [...acceptors, "learner-0", "learner-1"], 4000);
    await expectAll(client, "NO_QUORUM");
  });
});

test("acceptors that were away come back: everything works again, and every increment counts once", async () => {
  await withCluster({ stateMachine: counter, leaseMs }, async cluster => {
    const client = await cluster.connect();
    let acknowledged = await client.propose({ by: 1 });
    await pauseAll(cluster, acceptors, 3000);
    const late = errorOf(client.propose({ by: 1 }, { timeoutMs: 1500 }), "NO_QUORUM");
    const patient = client.propose({ by: 1 }, { timeoutMs: 60_000 });
    await late;
    await patient;
    for (let more = 0; more < 10; more++) acknowledged = await client.propose({ by: 1 });
    // All but the one whose caller has gone, which may have been filled before it could take effect.
    const total = await client.query("total", { consistency: "linearizable" });
    expect(total).toBe(acknowledged);
    expect([12, 13]).toContain(total);
  });
});

test("learners that stand still under a leader that lives are no lack of a quorum", async () => {
  await withCluster({ stateMachine: counter, leaseMs }, async cluster => {
    const client = await cluster.connect();
    await pauseAll(cluster, ["learner-0", "learner-1"], 3000);
    const propose = errorOf(client.propose({ by: 1 }, { timeoutMs: 1500 }), "TIMEOUT");
    const query = errorOf(client.query("total", { timeoutMs: 1500 }), "TIMEOUT");
    expect([(await propose).outcome, (await query).outcome]).toEqual(["unknown", "not-applied"]);
    await until(
      () => client.query("total").catch(() => undefined),
      total => total !== undefined,
    );
  });
});
