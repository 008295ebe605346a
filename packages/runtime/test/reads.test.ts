import { describe, expect, test } from "vitest";
import { withCluster } from "./support.js";

describe.each([
  { mailbox: "ring" as const },
  { mailbox: "port" as const },
  { digest: true },
  { distinguishedLearner: true },
  { digest: true, distinguishedLearner: true, learners: 3, mailbox: "port" as const },
  { protocol: "basic-paxos" as const },
])("%o", options => {
  test("a linearizable query sees what another client was just told", async () => {
    await withCluster(options, async cluster => {
      // Two clients that different learners answer, where there is no distinguished one.
      const [writer, reader] = await Promise.all([cluster.connect(), cluster.connect()]);
      for (let id = 0; id < 200; id++) {
        await writer.propose({ id });
        expect(await reader.query("length", { consistency: "linearizable" })).toBe(id + 1);
      }
    });
  });

  test("many linearizable queries at once, while commands flow, go never back", async () => {
    await withCluster(options, async cluster => {
      const [writer, ...readers] = await Promise.all([
        cluster.connect(),
        cluster.connect(),
        cluster.connect(),
      ]);
      let acknowledged = 0;
      const commands = Array.from({ length: 300 }, async (_, id) => {
        await writer?.propose({ id });
        acknowledged += 1;
      });
      const reads = readers.map(async reader => {
        let seen = 0;
        while (acknowledged < commands.length) {
          const before = acknowledged;
          const ask = () => reader.query("length", { consistency: "linearizable" }) as Promise<number>;
          const lengths = await Promise.all([ask(), ask(), ask()]);
          for (const length of lengths) {
            expect(length).toBeGreaterThanOrEqual(before);
            expect(length).toBeGreaterThanOrEqual(seen);
          }
          seen = Math.max(...lengths);
        }
      });
      await Promise.all([...commands, ...reads]);
    });
  });
});

test("a sequential query sees what this client was told, and never goes back", async () => {
  await withCluster({ learners: 3 }, async cluster => {
    const clients = await Promise.all(Array.from({ length: 3 }, () => cluster.connect()));
    await Promise.all(
      clients.map(async client => {
        let seen = 0;
        for (let written = 1; written <= 50; written++) {
          await client.propose({ id: written });
          const length = (await client.query("length", { consistency: "sequential" })) as number;
          expect(length).toBeGreaterThanOrEqual(Math.max(written, seen));
          seen = length;
        }
      }),
    );
  });
});

test("both kinds of queries and commands in one turn", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    await client.propose({ id: 0 });
    const turn = await Promise.all([
      client.query("length", { consistency: "linearizable" }),
      client.query("length"),
      client.propose({ id: 1 }),
      client.query("log", { consistency: "linearizable" }),
    ]);
    expect(turn[0]).toBeGreaterThanOrEqual(1);
    expect(turn[1]).toBeGreaterThanOrEqual(1);
    expect([[0], [0, 1]]).toContainEqual(turn[3]);
  });
});

test("a query that is asked while more commands wait than the window holds is answered, and so are they", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    const query = client.query("length", { consistency: "linearizable" });
    // The client's window holds 16,384.
    const commands = Array.from({ length: 20_000 }, (_, id) => client.propose({ id }));
    await Promise.all([query, ...commands]);
    expect(await client.query("length")).toBe(20_000);
  });
});

test("a learner that answers nobody sleeps on, and has read all when it is asked", async () => {
  await withCluster({}, async cluster => {
    const [writer, reader] = await Promise.all([cluster.connect(), cluster.connect()]);
    const before = await cluster.inspect();
    const commits = 300;
    for (let id = 0; id < commits; id++) await writer.propose({ id });
    const silent = (await cluster.inspect()).filter(({ name, role, wakeUps, sent }) => {
      const then = before.find(actor => actor.name === name);
      if (role !== "learner" || then === undefined) return false;
      if (sent.response.frames > then.sent.response.frames) return false;
      // Heartbeats wake it, so that it does not stay behind, and other learners' signs of life.
      expect(wakeUps - then.wakeUps).toBeLessThan(commits / 2);
      return true;
    });
    expect(silent).toHaveLength(1);
    // Whichever learner answers: it is woken for the question, and reads what came before it.
    expect(await reader.query("length", { consistency: "linearizable" })).toBe(commits);
    const { actors } = await cluster.status();
    const applied = actors.filter(({ role }) => role === "learner").map(({ appliedBelow }) => appliedBelow);
    expect(new Set(applied).size).toBe(1);
  });
});
