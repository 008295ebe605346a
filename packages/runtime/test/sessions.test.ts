import { expect, test } from "vitest";
import { errorOf, until, withCluster } from "./support.js";

/** Holds this thread up, timers and all. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("the session of an idle client outlives its time-out by far", async () => {
  const sessionTimeoutMs = 1000;
  await withCluster({ sessionTimeoutMs }, async cluster => {
    const [idle, busy] = await Promise.all([cluster.connect(), cluster.connect()]);
    await idle.propose({ id: "first" });
    // The log's time is what sessions expire by: it moves with the commands of the other client.
    const timeMs = async () => ((await busy.propose({ do: "position" })) as { timeMs: number }).timeMs;
    const begin = await timeMs();
    await until(timeMs, now => now > begin + 3 * sessionTimeoutMs);
    expect(await idle.propose({ id: "second" })).toEqual({ id: "second" });
  });
});

test("a client that is idle from the beginning keeps its session, however short the time-out", async () => {
  const sessionTimeoutMs = 400;
  await withCluster({ sessionTimeoutMs }, async cluster => {
    const [idle, busy] = await Promise.all([cluster.connect(), cluster.connect()]);
    const timeMs = async () => ((await busy.propose({ do: "position" })) as { timeMs: number }).timeMs;
    const begin = await timeMs();
    await until(timeMs, now => now > begin + 2 * sessionTimeoutMs);
    expect(await idle.propose({ id: "first" })).toEqual({ id: "first" });
  });
});

test("a client whose thread stands still for longer than the time-out loses its session, and connects again", async () => {
  const sessionTimeoutMs = 100;
  await withCluster({ sessionTimeoutMs }, async cluster => {
    const client = await cluster.connect();
    const applied: number[] = [];
    let id = 0;
    const next = async () => {
      standStill(4 * sessionTimeoutMs);
      try {
        await client.propose({ id });
        applied.push(id++);
        return "applied";
      } catch (error) {
        return error as { code: string };
      }
    };
    // A keep-alive that was under way may come late once.
    expect(await until(next, outcome => outcome !== "applied")).toMatchObject({ code: "SESSION_EXPIRED" });
    expect(await errorOf(client.propose({ id: -1 }), "SESSION_EXPIRED")).toMatchObject({
      outcome: "not-applied",
    });
    await errorOf(client.query("length"), "SESSION_EXPIRED");
    await client.close();
    const again = await cluster.connect();
    expect(await again.query("log", { consistency: "linearizable" })).toEqual(applied);
  });
});
