import { type Cluster, SynodError } from "@synod/runtime";
import { describe, expect, test } from "vitest";
import { type AnyMachine, expectAgreement, until, withCluster } from "./support.js";

/** So long that no thread is ever held up for it: who leads then leads until it is told otherwise. */
const neverMs = 600_000;

/** The cluster's status, once a proposer leads. */
function withLeader(cluster: Cluster<AnyMachine>) {
  return until(
    () => cluster.status(),
    ({ leader }) => leader !== null,
  );
}

/** Hands over, also where a busy host has let somebody else be elected in between: then once more. */
async function handOver(cluster: Cluster<AnyMachine>, to: string): Promise<void> {
  await until(
    () =>
      cluster.transferLeadership(to).then(
        () => "done",
        (error: unknown) => (error instanceof SynodError ? error.code : Promise.reject(error)),
      ),
    outcome => {
      expect(["done", "NO_LEADER", "TIMEOUT"]).toContain(outcome);
      return outcome === "done";
    },
  );
}

describe.each([
  { mailbox: "ring" as const },
  { mailbox: "port" as const },
  { proposers: 3, digest: true, distinguishedLearner: true },
  { protocol: "basic-paxos" as const },
])("%o", options => {
  test("leadership goes back and forth while commands flow: none is lost, none comes twice, order is kept", async () => {
    await withCluster({ leaseMs: 1000, ...options }, async cluster => {
      const clients = await Promise.all([cluster.connect(), cluster.connect()]);
      const proposers = Array.from({ length: options.proposers ?? 2 }, (_, index) => `proposer-${index}`);
      let moving = true;
      const proposed = clients.map(async (client, c) => {
        const settled: string[] = [];
        for (let next = 0; moving || next === 0; ) {
          const ids = Array.from({ length: 5 }, () => `${c}:${next++}`);
          const results = await Promise.all(ids.map(id => client.propose({ id }, { timeoutMs: 30_000 })));
          settled.push(...results.map(({ id }) => id));
        }
        return settled;
      });
      for (let move = 1; move <= 6; move++) {
        await handOver(cluster, proposers[move % proposers.length] as string);
      }
      moving = false;
      const settled = await Promise.all(proposed);
      const log = (await clients[0]?.query("log", { consistency: "linearizable" })) as string[];
      settled.forEach((ids, c) => {
        expect(ids).toEqual(ids.map((_, i) => `${c}:${i}`));
        expect(log.filter(id => id.startsWith(`${c}:`))).toEqual(ids);
      });
      await expectAgreement(cluster, log.length);
    });
  });
});

test("an idle cluster has exactly one leader", async () => {
  await withCluster({ leaseMs: neverMs, proposers: 3 }, async cluster => {
    await cluster.connect();
    const { actors, leader } = await withLeader(cluster);
    const leading = actors.filter(({ state }) => state === "leading");
    expect(leading).toMatchObject([{ name: leader, role: "proposer", distinguishedLearner: null }]);
    expect(leading[0]?.leaseLeftMs).toBeGreaterThan(0);
  });
});

test("a status names the learner that acceptors tell", async () => {
  await withCluster({ leaseMs: neverMs, distinguishedLearner: true }, async cluster => {
    const { actors, leader } = await withLeader(cluster);
    const { distinguishedLearner } = actors.find(({ name }) => name === leader) ?? {};
    expect(["learner-0", "learner-1"]).toContain(distinguishedLearner);
  });
});

test("leadership that is handed to the leader itself stays where it is", async () => {
  await withCluster({ leaseMs: neverMs }, async cluster => {
    const before = await withLeader(cluster);
    await cluster.transferLeadership(before.leader as string);
    const after = await cluster.status();
    expect(after.leader).toBe(before.leader);
    for (const { sent } of await cluster.inspect()) expect(sent.release?.frames ?? 0).toBe(0);
  });
});

test("leadership that is handed over is where it was sent", async () => {
  await withCluster({ leaseMs: neverMs }, async cluster => {
    await withLeader(cluster);
    for (const to of ["proposer-1", "proposer-0", "proposer-1"]) {
      await cluster.transferLeadership(to);
      expect((await cluster.status()).leader).toBe(to);
    }
  });
});
