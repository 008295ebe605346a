import { expect, test } from "vitest";
import { runtimeLimits } from "../dist/limits.js";
import { FrameRecorder } from "../dist/trace.js";
import { DepthTracker } from "../dist/traffic.js";
import { withCluster } from "./support.js";

test("every frame that is counted is recorded, with its ballot, instance and depth", async () => {
  await withCluster({ trace: true }, async cluster => {
    const client = await cluster.connect();
    await client.propose("command");
    const all = await cluster.inspect();
    for (const { sent, trace = [] } of all) {
      const counted = Object.entries(sent).map(([type, { frames }]) => [type, frames]);
      const recorded = Object.keys(sent).map(type => [
        type,
        trace.filter(frame => frame.type === type).length,
      ]);
      expect(recorded).toEqual(counted);
      expect(trace.map(({ atMs }) => atMs)).toEqual(trace.map(({ atMs }) => atMs).sort((a, b) => a - b));
    }
    const leader = all.find(({ name }) => name === "proposer-0");
    expect(leader?.trace?.slice(0, 3).map(({ to }) => to)).toEqual([
      "acceptor-0",
      "acceptor-1",
      "acceptor-2",
    ]);
    expect(leader?.trace?.[0]).toMatchObject({ type: "prepare", firstInstance: 0, depth: 1 });
    const accept = leader?.trace?.find(({ type, firstInstance }) => type === "accept" && firstInstance === 1);
    expect(accept).toMatchObject({ count: 1, depth: 1 });
    expect(accept?.ballot).toMatch(/^1\.\d+\.0$/);
  });
});

test("without the option nothing is recorded", async () => {
  await withCluster({ acceptors: 1, learners: 1, proposers: 1 }, async cluster => {
    await cluster.connect();
    for (const inspection of await cluster.inspect()) expect(inspection).not.toHaveProperty("trace");
  });
});

test("an inspection says how long each actor's thread has had a core", async () => {
  await withCluster({}, async cluster => {
    const client = await cluster.connect();
    const before = await cluster.inspect();
    for (let command = 0; command < 100; command++) await client.propose("command");
    const after = await cluster.inspect();
    const { user, system } = process.cpuUsage();
    const taken = after.map(({ threadMs }) => threadMs ?? 0).reduce((sum, ms) => sum + ms, 0);
    expect(taken).toBeLessThanOrEqual((user + system) / 1000);
    after.forEach(({ role, threadMs }, at) => {
      if (role === "client") expect(threadMs).toBeUndefined();
      else if (process.platform === "linux") expect(threadMs).toBeGreaterThan(before[at]!.threadMs!);
      else expect(threadMs).toBeNull();
    });
  });
});

test("a recorder keeps the latest frames, as many as the limit says", () => {
  const recorder = new FrameRecorder();
  const frames = 3 * runtimeLimits.tracedFrames + 5;
  for (let expected = 0; expected < frames; expected++) {
    recorder.record(recorder.describe({ type: "fetch", firstInstance: expected }, 0), "acceptor-0");
  }
  const kept = recorder.read();
  expect(kept).toHaveLength(runtimeLimits.tracedFrames);
  expect(kept[0]?.firstInstance).toBe(frames - runtimeLimits.tracedFrames);
  expect(kept.at(-1)?.firstInstance).toBe(frames - 1);
});

test("a tracker keeps the depths of the latest instances, at least as many as the limit says", () => {
  const tracker = new DepthTracker();
  const { tracedInstances } = runtimeLimits;
  const instances = 3 * tracedInstances;
  const ballot = { round: 1, incarnation: 1, proposer: 0 };
  const prepare = (firstInstance: number) => ({
    type: "prepare" as const,
    ballot,
    firstInstance,
    released: null,
  });
  for (let instance = 0; instance < instances; instance++) tracker.received(prepare(instance), 3);
  expect(tracker.at(0)).toBe(0);
  expect(tracker.at(instances - 1)).toBe(3);
  expect(tracker.at(instances - tracedInstances)).toBe(3);
  // A depth never goes down, also not when it was noted long ago.
  tracker.received(prepare(instances - tracedInstances), 1);
  expect(tracker.at(instances - tracedInstances)).toBe(3);
  expect(tracker.sent(prepare(instances - 1))).toBe(4);
});
