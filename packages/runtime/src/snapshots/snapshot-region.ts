/**
 * The memory of one learner's snapshots, which outlives its threads: two slots of bytes, a header for each, and a
 * word that says which slot is published. A writer changes only the other slot, then publishes it by one atomic store
 * of the word. So the published snapshot is intact until the next one is complete, whatever instruction the writer
 * dies at; its slot is written to again only by the snapshot after the next.
 */
import { crc32 } from "node:zlib";
import { runtimeLimits } from "../limits.js";

/** What a learner's threads, and those that read its snapshots, are given. Made once, for all its lives. */
export interface SnapshotRegion {
  readonly control: SharedArrayBuffer;
  readonly slots: readonly [SharedArrayBuffer, SharedArrayBuffer];
}

/** What is said of a snapshot beside its bytes. */
export interface SnapshotHeader {
  /** Counts what its learner has published. */
  readonly generation: number;
  /** Everything below this instance is in the snapshot. */
  readonly instance: number;
  /** Commands that have been applied below it. */
  readonly commands: number;
  /** Bytes of all chunks. */
  readonly bytes: number;
  readonly chunkCount: number;
  /** Of the bytes of all chunks, however they are divided. */
  readonly checksum: number;
}

/** The word's values differ in many bits, so that a damaged one is none of them. */
const PUBLISHED = 0;
const SLOT_VALUES = [0x5a965a96, 0x2569a569] as const;
const NOTHING_PUBLISHED = 0x0f3c0ff0;
/** Per slot a word that changes whenever a writer begins to overwrite it. */
const beginsAt = (slot: Slot) => 1 + slot;
/** Per slot a word that says until when it is read, at least. */
const heldAt = (slot: Slot) => 3 + slot;
/** Until when the learner writes, at least. */
const WRITING = 5;
const WORDS = 6;
/** The headers behind the words, on pairs of cache lines of their own. */
const HEADER_BYTES = 128;
const headerAt = (slot: Slot) => HEADER_BYTES * (1 + slot);
const FIELDS = 6;
const FIELD_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** What the views of one buffer can address. */
const SNAPSHOT_BYTES_MAX = 2 ** 32 - 8;

export type Slot = 0 | 1;

/**
 * Makes the memory of a learner's snapshots, once. Each of the two slots grows with what is written, up to `bytesMax`,
 * eight bytes per chunk included.
 *
 * @throws RangeError for a size that is no multiple of eight or out of bounds
 */
export function createSnapshotRegion(bytesMax: number): SnapshotRegion {
  if (bytesMax % 8 !== 0 || bytesMax < 8 || bytesMax > SNAPSHOT_BYTES_MAX) {
    throw new RangeError(`a snapshot has a multiple of 8 up to ${SNAPSHOT_BYTES_MAX} bytes, not ${bytesMax}`);
  }
  const control = new SharedArrayBuffer(HEADER_BYTES * 3);
  Atomics.store(new Int32Array(control, 0, 1), PUBLISHED, NOTHING_PUBLISHED);
  const slot = () => new SharedArrayBuffer(0, { maxByteLength: bytesMax });
  return { control, slots: [slot(), slot()] };
}

/** The words and headers of a region, for the writer and for readers. */
export class SnapshotControl {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #fields = new Float64Array(FIELDS + 1);
  readonly #fieldBytes = new Uint8Array(this.#fields.buffer, 0, FIELDS * FIELD_BYTES);

  constructor({ control }: SnapshotRegion) {
    this.#words = new Int32Array(control, 0, WORDS);
    this.#numbers = new Float64Array(control);
  }

  /** Undefined when nothing is, or when the word is damaged. */
  publishedSlot(): Slot | undefined {
    const word = Atomics.load(this.#words, PUBLISHED);
    if (word === SLOT_VALUES[0]) return 0;
    return word === SLOT_VALUES[1] ? 1 : undefined;
  }

  /** Changes whenever somebody begins to overwrite the slot. */
  begins(slot: Slot): number {
    return Atomics.load(this.#words, beginsAt(slot));
  }

  /** Tells those who read a slot, before the first byte of it changes. */
  begin(slot: Slot): void {
    Atomics.add(this.#words, beginsAt(slot), 1);
  }

  /** Somebody reads a slot, at least until then, in milliseconds of the process's clock: see {@link isHeld}. */
  hold(slot: Slot, untilMs: number): void {
    Atomics.store(this.#words, heldAt(slot), untilMs);
  }

  /** Who can wait does not overwrite the slot now. Readers that ended without a word hold it for a moment only. */
  isHeld(slot: Slot, nowMs: number): boolean {
    return isAhead(Atomics.load(this.#words, heldAt(slot)), nowMs, runtimeLimits.snapshotHoldMs);
  }

  /** This learner writes a snapshot, at least until then, in milliseconds of the process's clock. */
  claim(untilMs: number): void {
    Atomics.store(this.#words, WRITING, untilMs);
  }

  /** It does not write any more. */
  release(nowMs: number): void {
    Atomics.store(this.#words, WRITING, nowMs);
  }

  isClaimed(nowMs: number): boolean {
    return isAhead(Atomics.load(this.#words, WRITING), nowMs, runtimeLimits.snapshotClaimMs);
  }

  /** Undefined when it is damaged. */
  readHeader(slot: Slot): SnapshotHeader | undefined {
    const at = headerAt(slot) / FIELD_BYTES;
    const f = this.#fields;
    f.set(this.#numbers.subarray(at, at + FIELDS + 1));
    if (f[FIELDS] !== crc32(this.#fieldBytes)) return undefined;
    const [generation, instance, commands, bytes, chunkCount, checksum] = f as unknown as Fields;
    return { generation, instance, commands, bytes, chunkCount, checksum };
  }

  /** Makes a slot's snapshot visible at once, with all that was written to it. */
  publish(slot: Slot, { generation, instance, commands, bytes, chunkCount, checksum }: SnapshotHeader): void {
    this.#fields.set([generation, instance, commands, bytes, chunkCount, checksum]);
    this.#fields[FIELDS] = crc32(this.#fieldBytes);
    this.#numbers.set(this.#fields, headerAt(slot) / FIELD_BYTES);
    Atomics.store(this.#words, PUBLISHED, SLOT_VALUES[slot]);
  }
}

/**
 * Words keep the low 32 bits of a time; one that is much further ahead than anybody may say is old, or damaged. A little
 * further it may well be: whoever asks has taken the time before, and has worked since.
 */
function isAhead(word: number, nowMs: number, farthestMs: number): boolean {
  const leftMs = (word - Math.trunc(nowMs)) | 0;
  return leftMs > 0 && leftMs <= 2 * farthestMs;
}

type Fields = readonly [number, number, number, number, number, number];

/*
 * A chunk in a slot: its length and the checksum of everything up to its end, 32 bits each; its bytes; then as much
 * as makes a multiple of eight.
 */
export const CHUNK_HEAD_BYTES = 8;

/** Bytes that a chunk takes in its slot. */
export function chunkSpace(bytes: number): number {
  return CHUNK_HEAD_BYTES + Math.ceil(bytes / 8) * 8;
}
