import { crc32 } from "node:zlib";
import { monotonicMs } from "../clock.js";
import { SynodError } from "../errors.js";
import { runtimeLimits } from "../limits.js";
import {
  CHUNK_HEAD_BYTES,
  chunkSpace,
  type Slot,
  SnapshotControl,
  type SnapshotHeader,
  type SnapshotRegion,
} from "./snapshot-region.js";

/** A published snapshot, as any thread may read it. */
export interface Snapshot extends SnapshotHeader {
  /**
   * Copies of its chunks, each checked before it is handed out. While it is read, and for a moment after each chunk,
   * its learner waits before it overwrites it.
   *
   * @throws SynodError `STORAGE_FAILED` when the snapshot is overwritten meanwhile, or damaged
   */
  chunks(): Iterable<Uint8Array>;
}

/** A writer that publishes between two looks makes a reader look again; more often than this it is no coincidence. */
const LOOKS_MAX = 16;

/** What a learner has published last; undefined when there is nothing, or nothing intact is said of it. */
export function latestSnapshot(region: SnapshotRegion): Snapshot | undefined {
  const control = new SnapshotControl(region);
  for (let look = 0; look < LOOKS_MAX; look++) {
    const slot = control.publishedSlot();
    if (slot === undefined) return undefined;
    const begins = control.begins(slot);
    const header = control.readHeader(slot);
    if (control.publishedSlot() !== slot || control.begins(slot) !== begins) continue;
    if (header === undefined) return undefined;
    const isOvertaken = () => control.begins(slot) !== begins;
    const hold = () => control.hold(slot, monotonicMs() + runtimeLimits.snapshotHoldMs);
    return { ...header, chunks: () => readChunks(region.slots[slot], header, hold, isOvertaken) };
  }
  return undefined;
}

/** Notices what learners publish, cheaply enough to look all the time. */
export class PublishedWatch {
  readonly #regions: readonly SnapshotRegion[];
  readonly #controls: readonly SnapshotControl[];
  readonly #slots: (Slot | undefined)[];

  constructor(regions: readonly SnapshotRegion[]) {
    this.#regions = regions;
    this.#controls = regions.map(region => new SnapshotControl(region));
    this.#slots = regions.map(() => undefined);
  }

  /** Calls with every snapshot that is new since the last look. Of two in between it may miss both. */
  look(onPublished: (snapshot: FoundSnapshot) => void): void {
    for (let region = 0; region < this.#controls.length; region++) {
      const slot = this.#controls[region]!.publishedSlot();
      if (slot === this.#slots[region]) continue;
      this.#slots[region] = slot;
      const snapshot = latestSnapshot(this.#regions[region]!);
      if (snapshot !== undefined) onPublished({ ...snapshot, region });
    }
  }
}

/** A snapshot, and which of several regions it is in. */
export interface FoundSnapshot extends Snapshot {
  readonly region: number;
}

/**
 * Of the latest snapshots of several learners, the one that goes furthest and is intact; undefined when none of them
 * reaches `atLeastInstance`.
 */
export function newestSnapshot(
  regions: readonly SnapshotRegion[],
  atLeastInstance: number,
): FoundSnapshot | undefined {
  return snapshotsFrom(regions, atLeastInstance).find(isIntact);
}

/** The latest snapshots that reach `atLeastInstance`, the newest first. Nothing but reading shows whether they are intact. */
export function snapshotsFrom(regions: readonly SnapshotRegion[], atLeastInstance: number): FoundSnapshot[] {
  return regions
    .flatMap((memory, region) => {
      const snapshot = latestSnapshot(memory);
      return snapshot === undefined ? [] : [{ ...snapshot, region }];
    })
    .filter(({ instance }) => instance >= atLeastInstance)
    .sort((a, b) => b.instance - a.instance);
}

function isIntact(snapshot: Snapshot): boolean {
  try {
    for (const _ of snapshot.chunks());
    return true;
  } catch (error) {
    if (error instanceof SynodError) return false;
    throw error;
  }
}

function* readChunks(
  memory: SharedArrayBuffer,
  { instance, bytes, chunkCount, checksum }: SnapshotHeader,
  hold: () => void,
  isOvertaken: () => boolean,
): Generator<Uint8Array, void, undefined> {
  let position = 0;
  let left = bytes;
  let found = 0;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    hold();
    const copy =
      position + CHUNK_HEAD_BYTES <= memory.byteLength ? copyChunk(memory, position, left) : undefined;
    found = copy === undefined ? found : crc32(copy.bytes, found);
    // The checksum also covers what a writer changes before its beginning is seen.
    const isLast = chunk === chunkCount - 1;
    const isDamaged = found !== copy?.checksum || (isLast && found !== checksum);
    if (isOvertaken()) {
      throw new SynodError(
        "STORAGE_FAILED",
        `the snapshot at ${instance} was overwritten by a later one while it was read`,
      );
    }
    if (copy === undefined || isDamaged) {
      throw new SynodError("STORAGE_FAILED", `chunk ${chunk} of the snapshot at ${instance} is damaged`);
    }
    position += chunkSpace(copy.bytes.byteLength);
    left -= copy.bytes.byteLength;
    yield copy.bytes;
  }
}

/** Undefined for a length that cannot be. */
function copyChunk(memory: SharedArrayBuffer, position: number, bytesMax: number) {
  const [length, checksum] = new Uint32Array(memory, position, 2);
  if (length === undefined || length > bytesMax || position + chunkSpace(length) > memory.byteLength)
    return undefined;
  const bytes = new Uint8Array(length);
  bytes.set(new Uint8Array(memory, position + CHUNK_HEAD_BYTES, length));
  return { bytes, checksum };
}
