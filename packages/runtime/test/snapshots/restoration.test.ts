import type { ReplicaState } from "@synod/core";
import type { StateMachine } from "@synod/runtime";
import { beforeEach, describe, expect, it } from "vitest";
import { loadStateMachine, StateMachineEngine } from "../../dist/engine.js";
import { createSnapshotRegion, latestSnapshot, SnapshotWriter } from "../../dist/snapshots/index.js";
import { Restoration, type RestoredFrom } from "../../dist/snapshots/restoration.js";
import { SnapshotTaking } from "../../dist/snapshots/snapshot-taking.js";
import { failures, words } from "../fixtures/snapshot-words.mjs";
import { fixture, until } from "../support.js";

const memory = new SharedArrayBuffer(64);
const tell = new Int32Array(memory);
const spec = { url: fixture("snapshots.mjs"), export: "default", options: { memory } };

const stateAt = (appliedBelow: number): ReplicaState => ({
  appliedBelow,
  appliedCommands: appliedBelow,
  timeMs: 7,
  sessions: [],
  samples: { chain: 0, samples: [] },
});

async function engineWith(ids: readonly string[]): Promise<StateMachineEngine> {
  const machine = (await loadStateMachine(spec)) as StateMachine;
  for (const id of ids) machine.apply({ id }, { instance: 0, timeMs: 0 });
  return new StateMachineEngine(machine);
}

const newRegion = () => createSnapshotRegion(65_536);
type Region = ReturnType<typeof newRegion>;

async function publish(region: Region, instance: number, ids: readonly string[]): Promise<void> {
  const taking = new SnapshotTaking(new SnapshotWriter(region), stateAt(instance), await engineWith(ids));
  while (!taking.step(0));
}

beforeEach(() => {
  tell.fill(0);
});

describe("taking a snapshot", () => {
  it.each([
    ["throws", /no snapshot today/],
    ["throwsInTheMiddle", /no snapshot today/],
    ["rejects", /must return something iterable, and no promise/],
    ["notSerializable", /snapshot\(\)'s chunk is a function/],
  ] as const)("that %s leaves the former one, and the next one succeeds", async (failure, reason) => {
    const region = newRegion();
    const writer = new SnapshotWriter(region);
    await publish(region, 3, ["a"]);
    tell[words.snapshot] = failures[failure];
    const failing = new SnapshotTaking(writer, stateAt(5), await engineWith(["a", "b"]));
    expect(() => {
      while (!failing.step(0));
    }).toThrow(reason);
    expect(latestSnapshot(region)?.instance).toBe(3);
    tell[words.snapshot] = failures.none;
    await publish(region, 6, ["a", "b", "c"]);
    expect(latestSnapshot(region)?.instance).toBe(6);
  });

  it("ends the state machine's iteration when its memory is full", () => {
    let isClosed = false;
    const machine = {
      apply: () => undefined,
      *snapshot() {
        try {
          for (;;) yield new Uint8Array(1000);
        } finally {
          isClosed = true;
        }
      },
      restore: async () => undefined,
    };
    const writer = new SnapshotWriter(newRegion());
    const taking = new SnapshotTaking(writer, stateAt(5), new StateMachineEngine(machine));
    expect(() => {
      while (!taking.step(0));
    }).toThrow(/more than the 65536 bytes/);
    expect(isClosed).toBe(true);
  });
});

/** Looks at it again and again at one moment, until something comes of it. */
async function settled(restoration: Restoration, now: number) {
  const errors: unknown[] = [];
  const look = () =>
    new Promise<RestoredFrom | undefined>(resolve => {
      setImmediate(() => resolve(restoration.poll(now, 0, error => errors.push(error))));
    });
  const restored = await until(look, found => found !== undefined || errors.length > 0);
  return { restored, errors };
}

describe("restoring a snapshot", () => {
  it("takes the newest of all learners", async () => {
    const regions = [newRegion(), newRegion()];
    await publish(regions[0] as Region, 3, ["a"]);
    await publish(regions[1] as Region, 5, ["a", "b"]);
    const restoration = new Restoration(regions, spec, 1, 0);
    expect(restoration.instance).toBe(5);
    const { restored } = await settled(restoration, 0);
    expect(restored).toMatchObject({ learner: 1, state: stateAt(5) });
    expect(restored?.engine.stateDigest()).toBe((await engineWith(["a", "b"])).stateDigest());
  });

  it("waits until one is published that goes far enough", async () => {
    const regions = [newRegion()];
    await publish(regions[0] as Region, 3, ["a"]);
    const restoration = new Restoration(regions, spec, 4, 0);
    expect(restoration).toMatchObject({ instance: 4, isUnderWay: false });
    await publish(regions[0] as Region, 6, ["a", "b"]);
    const { restored } = await settled(restoration, restoration.retryAt);
    expect(restored?.state.appliedBelow).toBe(6);
  });

  it.each(["throws", "throwsInTheMiddle"] as const)(
    "that %s is told, and tried again with what was published meanwhile",
    async failure => {
      const regions = [newRegion(), newRegion()];
      await publish(regions[0] as Region, 3, ["a"]);
      tell[words.restore] = failures[failure];
      const restoration = new Restoration(regions, spec, 1, 0);
      const { errors } = await settled(restoration, 0);
      expect(errors).toEqual([expect.objectContaining({ message: "no restore today" })]);
      expect(restoration.isUnderWay).toBe(false);
      await publish(regions[1] as Region, 5, ["a", "b"]);
      tell[words.restore] = failures.none;
      const { restored } = await settled(restoration, restoration.retryAt);
      expect(restored).toMatchObject({ learner: 1, state: stateAt(5) });
    },
  );

  it("is given up when restore() neither reads nor ends, and what comes of it later does not count", async () => {
    const regions = [newRegion()];
    await publish(regions[0] as Region, 3, ["a"]);
    tell[words.restore] = failures.hangs;
    const restoration = new Restoration(regions, spec, 1, 0);
    expect(restoration.poll(29_999, 0, error => expect.fail(String(error)))).toBeUndefined();
    expect(restoration.isUnderWay).toBe(true);
    const { errors } = await settled(restoration, 30_000);
    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining("restore() has read 0 chunks") }),
    ]);
    tell[words.restore] = failures.none;
    const { restored } = await settled(restoration, restoration.retryAt);
    expect(restored?.state.appliedBelow).toBe(3);
  });
});
