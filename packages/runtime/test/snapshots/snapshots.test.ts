import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Random } from "@synod/core/testing";
import { describe, expect, it } from "vitest";
import { monotonicMs } from "../../dist/clock.js";
import { runtimeLimits } from "../../dist/limits.js";
import * as snapshots from "../../dist/snapshots/index.js";
import { plantBug } from "../planted-bug.js";
import { expectCaught } from "../torn-memory.js";
import {
  expectNumber,
  noticesDamage,
  noticesOvertaking,
  type SnapshotsModule,
  survivesDeathAtEveryStore,
} from "./checks.js";
import { chunksOf, publishNumber } from "./chunks.mjs";

const { createSnapshotRegion, latestSnapshot, newestSnapshot, SnapshotTurn, SnapshotWriter } = snapshots;
/** A failure prints its seed; SYNOD_SEED replays it. */
const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 2 ** 31);

describe("a learner's snapshots", () => {
  it("are found as they were written, the latest one", () => {
    const region = createSnapshotRegion(65_536);
    expect(latestSnapshot(region)).toBeUndefined();
    for (let number = 1; number < 100; number++) {
      publishNumber(new SnapshotWriter(region), number);
      expectNumber(snapshots, region, number, `snapshot ${number}`);
    }
  });

  it("have a checksum that does not depend on how they are divided", () => {
    const writer = new SnapshotWriter(createSnapshotRegion(65_536));
    const bytes = Uint8Array.from({ length: 1000 }, (_, at) => at * 7);
    const publish = (...cuts: number[]) => {
      writer.begin();
      let from = 0;
      for (const cut of [...cuts, bytes.length]) {
        writer.write(bytes.subarray(from, cut));
        from = cut;
      }
      return writer.publish({ instance: 1, commands: 1 });
    };
    expect(publish(1, 500).checksum).toBe(publish().checksum);
    expect(publish()).toMatchObject({ bytes: 1000, chunkCount: 1, generation: 3 });
  });

  it("take memory in proportion to what is written, up to a bound", () => {
    const region = createSnapshotRegion(65_536);
    const writer = new SnapshotWriter(region);
    publishNumber(writer, 1);
    expect(region.slots[0].byteLength).toBeLessThan(20_000);
    expect(region.slots[1].byteLength).toBe(0);
    writer.begin();
    writer.write(new Uint8Array(60_000));
    expect(() => writer.write(new Uint8Array(6000))).toThrow(
      expect.objectContaining({ code: "STORAGE_FAILED", message: expect.stringContaining("65536 bytes") }),
    );
    expectNumber(snapshots, region, 1, "after one that was too large");
    publishNumber(writer, 2);
    expectNumber(snapshots, region, 2, "afterwards");
    expect(() => createSnapshotRegion(65_537)).toThrow(RangeError);
  });

  it("stay as they are until the next one is complete, and while that one is the latest", () => {
    const region = createSnapshotRegion(65_536);
    const writer = new SnapshotWriter(region);
    publishNumber(writer, 1);
    writer.begin();
    writer.write(new Uint8Array(500));
    expectNumber(snapshots, region, 1, "while the next one is written");
    writer.abandon();
    expectNumber(snapshots, region, 1, "after the next one was given up");
    noticesOvertaking(snapshots);
  });

  it("are held while somebody reads them, and for a moment after", () => {
    const region = createSnapshotRegion(65_536);
    const writer = new SnapshotWriter(region);
    const { snapshotHoldMs } = runtimeLimits;
    const publish = (instance: number) => {
      writer.begin();
      for (let chunk = 0; chunk < 3; chunk++) writer.write(new Uint8Array(10));
      writer.publish({ instance, commands: instance });
    };
    publish(1);
    publish(2);
    expect(writer.isHeld(monotonicMs())).toBe(false);
    const chunks = latestSnapshot(region)!.chunks()[Symbol.iterator]();
    const before = monotonicMs();
    chunks.next();
    const after = monotonicMs();
    // The other slot is nobody's.
    expect(writer.isHeld(after)).toBe(false);
    publish(3);
    expect(writer.isHeld(before + snapshotHoldMs - 1)).toBe(true);
    expect(writer.isHeld(after + snapshotHoldMs)).toBe(false);
    // As if the clock's words had gone round once.
    expect(writer.isHeld(before + 2 ** 31)).toBe(false);
    chunks.next();
    expect(writer.isHeld(after + snapshotHoldMs - 1)).toBe(true);
    // A learner has taken the time, and applied for a while, before it looks.
    expect(writer.isHeld(before - runtimeLimits.eventLoopTurnMs)).toBe(true);
  });

  it("are whole after a death at any store", () => {
    let deaths = 0;
    for (let offset = 0; offset < 8; offset++) deaths += survivesDeathAtEveryStore(snapshots, seed + offset);
    expect(deaths).toBeGreaterThan(3000);
  });

  it("are refused when they are damaged", () => {
    noticesDamage(snapshots, seed);
  });
});

describe("of several learners", () => {
  function published(instance: number, bytes = 10) {
    const region = createSnapshotRegion(65_536);
    const writer = new SnapshotWriter(region);
    writer.begin();
    writer.write(new Uint8Array(bytes).fill(3));
    writer.publish({ instance, commands: instance });
    return region;
  }

  it("the snapshot that goes furthest is taken, if it goes far enough and is intact", () => {
    const far = published(2 ** 33);
    const regions = [published(10), far, createSnapshotRegion(8), published(2 ** 32)];
    expect(newestSnapshot(regions, 0)?.instance).toBe(2 ** 33);
    expect(newestSnapshot(regions, 2 ** 33 + 1)).toBeUndefined();
    new Uint8Array(far.slots[0])[12] = 99;
    expect(newestSnapshot(regions, 0)?.instance).toBe(2 ** 32);
    expect(newestSnapshot(regions, 2 ** 32 + 1)).toBeUndefined();
  });

  it("one is written at a time", () => {
    const regions = [1, 2, 3].map(() => createSnapshotRegion(65_536));
    const turnOf = (learner: number) => new SnapshotTurn(regions, learner, 0);
    const turns = [turnOf(0), turnOf(1), turnOf(2)] as const;
    const { snapshotClaimMs } = runtimeLimits;
    const now = 2 ** 31 - 5;
    expect(turns[0].take(now)).toBe(true);
    expect(turns[1].take(now)).toBe(false);
    expect(turns[2].take(now + 10)).toBe(false);
    // Another thread's clock, or a time that was taken before the turn was.
    expect(turns[1].take(now - runtimeLimits.eventLoopTurnMs)).toBe(false);
    turns[0].giveBack(now + 10);
    expect(turns[2].take(now + 10)).toBe(true);
    // It goes on, and dies; its next life has nothing any more.
    turns[2].renew(now + snapshotClaimMs);
    expect(turns[0].take(now + 2 * snapshotClaimMs - 1)).toBe(false);
    const nextLife = new SnapshotTurn(regions, 2, now + 2 * snapshotClaimMs - 1);
    expect(turns[0].take(now + 2 * snapshotClaimMs - 1)).toBe(true);
    expect(nextLife.take(now + 2 * snapshotClaimMs - 1)).toBe(false);
    // This one dies for good.
    expect(turns[1].take(now + 3 * snapshotClaimMs - 2)).toBe(false);
    expect(turns[1].take(now + 3 * snapshotClaimMs - 1)).toBe(true);
  });
});

describe("threads", () => {
  const kills = Number(process.env.SYNOD_KILLS ?? 50);

  it("a writer that is killed again and again leaves whole snapshots, never older ones, to a reader beside it", async () => {
    const region = createSnapshotRegion(65_536);
    const published = new Int32Array(new SharedArrayBuffer(4));
    const random = new Random(seed);
    let reads = 0;
    for (let kill = 0; kill < kills; kill++) {
      const worker = new Worker(new URL("./snapshot-writer-worker.mjs", import.meta.url), {
        workerData: { region, published },
      });
      const exit = new Promise(resolve => worker.once("exit", resolve));
      await once(worker, "message");
      const before = Atomics.load(published, 0);
      while (Atomics.load(published, 0) === before) reads += readBeside(region);
      const until = performance.now() + random.fraction() * 3;
      // On a busy machine the writer may wait for a core all that while; without an end the test would not fail.
      const enough = Atomics.load(published, 0) + 2;
      const deadline = until + 10_000;
      const goesOn = (now: number) => now < until || (Atomics.load(published, 0) < enough && now < deadline);
      while (goesOn(performance.now())) reads += readBeside(region);
      await worker.terminate();
      await exit;
      const safe = Atomics.load(published, 0);
      const found = latestSnapshot(region)?.generation ?? 0;
      expect([safe, safe + 1], `seed ${seed}, kill ${kill}`).toContain(found);
      expectNumber(snapshots, region, found, `seed ${seed}, kill ${kill}`);
      Atomics.store(published, 0, found);
    }
    expect(Atomics.load(published, 0)).toBeGreaterThan(kills);
    expect(reads).toBeGreaterThan(0);
  }, 600_000);
});

/** Reads the latest snapshot of a writer at work; 1 when it was right, 0 when the reader was told that it was late. */
function readBeside(region: snapshots.SnapshotRegion): 0 | 1 {
  const latest = latestSnapshot(region);
  if (latest === undefined) return 0;
  try {
    expectChunks(latest);
    return 1;
  } catch (error) {
    if ((error as { code?: string }).code === "STORAGE_FAILED") return 0;
    throw error;
  }
}

function expectChunks(latest: snapshots.Snapshot): void {
  const wanted = chunksOf(latest.generation);
  let at = 0;
  for (const chunk of latest.chunks()) {
    if (Buffer.compare(chunk, wanted[at]!) !== 0)
      throw new Error(`chunk ${at} of ${latest.generation} is garbage`);
    at += 1;
  }
  if (at !== wanted.length) throw new Error(`${at} chunks of ${latest.generation}, not ${wanted.length}`);
}

describe("a planted bug is caught", () => {
  const dies = (module: SnapshotsModule) => survivesDeathAtEveryStore(module, seed);
  const bugs: [
    name: string,
    check: (module: SnapshotsModule) => void,
    file: string,
    find: string,
    replace: string,
  ][] = [
    [
      "published before it is complete",
      dies,
      "snapshot-region.ts",
      "    this.#numbers.set(this.#fields, headerAt(slot) / FIELD_BYTES);\n    Atomics.store(this.#words, PUBLISHED, SLOT_VALUES[slot]);",
      "    Atomics.store(this.#words, PUBLISHED, SLOT_VALUES[slot]);\n    this.#numbers.set(this.#fields, headerAt(slot) / FIELD_BYTES);",
    ],
    [
      "written into the published slot",
      dies,
      "snapshot-writer.ts",
      "this.#control.publishedSlot() === 0 ? 1 : 0",
      "0 as 0 | 1",
    ],
    [
      "the checksum of a chunk is not looked at",
      module => noticesDamage(module, seed),
      "snapshot-reader.ts",
      "found !== copy?.checksum || (isLast && found !== checksum)",
      "false",
    ],
    [
      "the checksum of the header is not looked at",
      module => noticesDamage(module, seed),
      "snapshot-region.ts",
      "f[FIELDS] !== crc32(this.#fieldBytes)",
      "false",
    ],
    [
      "a reader is not told that it is late",
      noticesOvertaking,
      "snapshot-reader.ts",
      "if (isOvertaken())",
      "if (false as boolean)",
    ],
    [
      "a writer begins without telling",
      noticesOvertaking,
      "snapshot-writer.ts",
      "    this.#control.begin(slot);\n",
      "",
    ],
  ];

  it.each(bugs)("%s", async (_, check, file, find, replace) => {
    const bugged: SnapshotsModule = await import(await plantBug("snapshots", { file, find, replace }));
    expectCaught(() => check(bugged));
  });
});
