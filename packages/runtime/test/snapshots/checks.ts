import { Random } from "@synod/core/testing";
import type * as snapshots from "../../dist/snapshots/index.js";
import { CheckFailure, copyOf, expectNothingWritten, storesOf, tornBetween } from "../torn-memory.js";
import { chunksOf, instanceOf, publishNumber } from "./chunks.mjs";

/** The built snapshots, or those with a bug in them. */
export type SnapshotsModule = typeof snapshots;

const bytesMax = 2 ** 16;

/** The latest snapshot must be the one of this number, all of it. */
export function expectNumber(
  module: SnapshotsModule,
  region: snapshots.SnapshotRegion,
  number: number,
  what: string,
) {
  const latest = module.latestSnapshot(region);
  if (number === 0) {
    if (latest !== undefined) throw new CheckFailure(`${what}: there is a snapshot at ${latest.instance}`);
    return;
  }
  if (latest === undefined) throw new CheckFailure(`${what}: there is no snapshot`);
  const found = { instance: latest.instance, commands: latest.commands, generation: latest.generation };
  const expected = { instance: instanceOf(number), commands: number * 2, generation: number };
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new CheckFailure(`${what}: found ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
  const chunks = [...latest.chunks()];
  const wanted = chunksOf(number);
  const isSame =
    chunks.length === wanted.length && chunks.every((chunk, at) => Buffer.compare(chunk, wanted[at]!) === 0);
  if (!isSame) throw new CheckFailure(`${what}: the snapshot at ${latest.instance} is not what was written`);
}

/**
 * Dies at every store: the memory as it was before a snapshot was begun, with any part of what is written until it is
 * published, still has the former snapshot. Returns the number of deaths.
 */
export function survivesDeathAtEveryStore(module: SnapshotsModule, seed: number, count = 30): number {
  const random = new Random(seed);
  const region = module.createSnapshotRegion(bytesMax);
  const memories = [region.control, ...region.slots];
  let deaths = 0;
  for (let number = 1; number <= count; number++) {
    const what = `seed ${seed}, snapshot ${number}`;
    const before = memories.map(copyOf);
    const stores = storesOf(memories, () => {
      // Each life writes one snapshot, and may have begun another one that came to nothing.
      const writer = new module.SnapshotWriter(region);
      if (random.chance(0.3)) {
        writer.begin();
        for (const chunk of chunksOf(random.bits())) writer.write(chunk);
        writer.abandon();
      }
      publishNumber(writer, number);
    });
    const [atStore, ...more] = stores;
    if (atStore === undefined || more.length > 0)
      throw new CheckFailure(`${what}: ${stores.length} atomic stores`);
    const torn = before.map((memory, at) => [...tornBetween(memory, atStore[at]!, random)]);
    for (let at = 0; at < torn[0]!.length; at++) {
      const [control, first, second] = torn.map(copies => copies[(at + random.below(3)) % copies.length]!);
      const left = { control: control!, slots: [first!, second!] as const };
      expectNumber(module, left, number - 1, `${what}, died before it published`);
      deaths += 1;
    }
    expectNothingWritten(atStore[0]!, region.control, what, 4);
    for (const at of [0, 1] as const) expectNothingWritten(atStore[1 + at]!, region.slots[at], what);
    expectNumber(module, region, number, `${what}, died after it published`);
    deaths += 1;
  }
  return deaths;
}

/** Damages each byte of the published snapshot in turn, one bit of it: a reader gets an error, or no snapshot, or all of it. */
export function noticesDamage(module: SnapshotsModule, seed: number): void {
  const random = new Random(seed);
  const region = module.createSnapshotRegion(bytesMax);
  const writer = new module.SnapshotWriter(region);
  for (let number = 1; number <= 2; number++) publishNumber(writer, number);
  // A last one with a chunk, so that there is something to damage.
  writer.begin();
  const chunk = Uint8Array.from({ length: 999 }, () => random.below(256));
  writer.write(chunk);
  writer.publish({ instance: 7, commands: 7 });
  // The third snapshot lies in the first slot; behind its bytes comes padding.
  const slotBytes = 8 + 999;
  for (let at = 0; at < region.control.byteLength + slotBytes; at++) {
    const control = copyOf(region.control);
    const slots = [copyOf(region.slots[0]), copyOf(region.slots[1])] as const;
    const isInSlot = at >= control.byteLength;
    const position = isInSlot ? at - control.byteLength : at;
    const target = new Uint8Array(isInSlot ? slots[0] : control);
    target[position] = target[position]! ^ (1 << random.below(8));
    const what = `seed ${seed}, byte ${position} of ${isInSlot ? "the slot" : "the control"} damaged`;
    const isGarbage = isDelivered(module, { control, slots }, chunk);
    if (isInSlot && isGarbage !== undefined) throw new CheckFailure(`${what}: not noticed`);
    if (isGarbage === true) throw new CheckFailure(`${what}: garbage`);
  }
}

/** Undefined when nothing is; otherwise, is it anything but this chunk? */
function isDelivered(module: SnapshotsModule, region: snapshots.SnapshotRegion, chunk: Uint8Array) {
  const latest = module.newestSnapshot([region], 0);
  if (latest === undefined) return undefined;
  const chunks = [...latest.chunks()];
  return latest.instance !== 7 || chunks.length !== 1 || Buffer.compare(chunks[0]!, chunk) !== 0;
}

/** A reader is overtaken after some of the chunks: what it was given until then is right, and it is told. */
export function noticesOvertaking(module: SnapshotsModule): void {
  for (let taken = 0; taken < 4; taken++) {
    const region = module.createSnapshotRegion(bytesMax);
    const writer = new module.SnapshotWriter(region);
    const publish = (fill: number) => {
      writer.begin();
      for (let at = 0; at < 4; at++) writer.write(new Uint8Array(100).fill(fill));
      return writer.publish({ instance: fill, commands: fill });
    };
    publish(1);
    const chunks = module.latestSnapshot(region)!.chunks()[Symbol.iterator]();
    const takeOne = () => {
      const { value } = chunks.next();
      if (Buffer.compare(value, new Uint8Array(100).fill(1)) !== 0)
        throw new CheckFailure("garbage was handed out");
    };
    for (let at = 0; at < taken; at++) takeOne();
    publish(2);
    if (taken < 3) takeOne(); // The one after is another slot's: the former snapshot is still there.
    writer.begin();
    let error: unknown;
    try {
      while (chunks.next().done !== true);
    } catch (cause) {
      error = cause;
    }
    const isTold = (error as Error | undefined)?.message.includes("overwritten") === true;
    if (taken < 3 && !isTold) throw new CheckFailure(`overtaken after ${taken} chunks: ${String(error)}`);
    writer.abandon();
  }
}
