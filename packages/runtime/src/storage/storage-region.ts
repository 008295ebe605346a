/**
 * The memory of one acceptor, which outlives its threads: a word that says what is published, two header slots, and
 * the log of accepted entries. A writer changes only what is not published, then publishes all of it by one atomic
 * store of the word: it may die at any instruction, and the former state is intact.
 */
import { crc32 } from "node:zlib";
import type { Ballot, Lease } from "@synod/core";
import { storageDamaged } from "./storage-error.js";

/** The word: which slot counts. Its values differ in many bits, so that a damaged one is none of them. */
const PUBLISHED = 0;
const SLOT_VALUES = [0x5a965a96, 0x2569a569] as const;
/** No life has persisted anything yet; the first slot counts. */
const NEVER_LIVED = 0x0f3c0ff0;

/** Slots and log begin on pairs of cache lines of their own. */
const SLOT_BYTES = 128;
const slotAt = (slot: number) => SLOT_BYTES * (1 + slot);
/** Where the log begins. */
export const LOG_START = SLOT_BYTES * 3;

const FIELD_BYTES = Float64Array.BYTES_PER_ELEMENT;
const FIELDS = 13;
/** A region has so much at first, and no more than a part of its bound; it grows when the log does. */
const INITIAL_BYTES = 64 * 1024;
const INITIAL_PARTS = 16;
/** Bounds of a region: a header and a short log; what the views of one buffer can address. */
const STORAGE_BYTES_MIN = 4096;
const STORAGE_BYTES_MAX = 2 ** 32 - 8;

/**
 * What an acceptor has promised, and where its entries are. The log is a ring: records lie from `head` to `tail`, or,
 * while `wrap` is not 0, from `head` to `wrap` and from the start of the log to `tail`.
 */
export interface StorageHeader {
  promised: Ballot;
  lease: Lease;
  trimmedBelow: number;
  head: number;
  tail: number;
  wrap: number;
  /** Records are numbered without end: a record left over from an earlier round is not taken for a present one. */
  firstRecord: number;
  nextRecord: number;
}

/**
 * Makes the memory of an acceptor that has never lived, once. It grows with what the acceptor retains, up to
 * `bytesMax`. `firstRecord` is there for tests of large numbers.
 *
 * @throws RangeError for a size that is no multiple of eight or out of bounds
 */
export function createStorageRegion(bytesMax: number, firstRecord = 0): SharedArrayBuffer {
  if (bytesMax % 8 !== 0 || bytesMax < STORAGE_BYTES_MIN || bytesMax > STORAGE_BYTES_MAX) {
    const allowed = `a multiple of 8 from ${STORAGE_BYTES_MIN} to ${STORAGE_BYTES_MAX}`;
    throw new RangeError(`a storage region has ${allowed} bytes, not ${bytesMax}`);
  }
  const partBytes = Math.ceil(bytesMax / INITIAL_PARTS / FIELD_BYTES) * FIELD_BYTES;
  const initialBytes = Math.min(INITIAL_BYTES, Math.max(partBytes, LOG_START));
  const region = new SharedArrayBuffer(initialBytes, { maxByteLength: bytesMax });
  const header: StorageHeader = {
    promised: { round: 0, incarnation: 0, proposer: -1 },
    lease: { ballot: { round: 0, incarnation: 0, proposer: -1 }, until: 0 },
    trimmedBelow: 0,
    head: LOG_START,
    tail: LOG_START,
    wrap: 0,
    firstRecord,
    nextRecord: firstRecord,
  };
  const slots = new HeaderSlots(region);
  slots.write(header, 0);
  Atomics.store(new Int32Array(region, 0, 1), PUBLISHED, NEVER_LIVED);
  return region;
}

/** The two slots and the word. Only the slot that is not published is ever written. */
export class HeaderSlots {
  readonly #word: Int32Array;
  readonly #numbers: Float64Array;
  readonly #fields = new Float64Array(FIELDS + 1);
  readonly #fieldBytes = new Uint8Array(this.#fields.buffer, 0, FIELDS * FIELD_BYTES);

  constructor(region: SharedArrayBuffer) {
    this.#word = new Int32Array(region, 0, 1);
    this.#numbers = new Float64Array(region, 0, LOG_START / FIELD_BYTES);
  }

  get hasLived(): boolean {
    return Atomics.load(this.#word, PUBLISHED) !== NEVER_LIVED;
  }

  /** @throws SynodError `STORAGE_FAILED` */
  readPublished(): StorageHeader {
    const at = slotAt(this.#published()) / FIELD_BYTES;
    const f = this.#fields;
    f.set(this.#numbers.subarray(at, at + FIELDS + 1));
    if (f[FIELDS] !== crc32(this.#fieldBytes)) throw storageDamaged("the checksum of its header is wrong");
    const n = (index: number) => f[index] as number;
    return {
      promised: { round: n(0), incarnation: n(1), proposer: n(2) },
      lease: { ballot: { round: n(3), incarnation: n(4), proposer: n(5) }, until: n(6) },
      trimmedBelow: n(7),
      head: n(8),
      tail: n(9),
      wrap: n(10),
      firstRecord: n(11),
      nextRecord: n(12),
    };
  }

  /** Makes everything that was written visible at once, with this header. */
  publish(header: StorageHeader): void {
    const slot = this.#published() === 0 ? 1 : 0;
    this.write(header, slot);
    Atomics.store(this.#word, PUBLISHED, SLOT_VALUES[slot]);
  }

  write(
    { promised, lease, trimmedBelow, head, tail, wrap, firstRecord, nextRecord }: StorageHeader,
    slot: number,
  ) {
    const f = this.#fields;
    f[0] = promised.round;
    f[1] = promised.incarnation;
    f[2] = promised.proposer;
    f[3] = lease.ballot.round;
    f[4] = lease.ballot.incarnation;
    f[5] = lease.ballot.proposer;
    f[6] = lease.until;
    f[7] = trimmedBelow;
    f[8] = head;
    f[9] = tail;
    f[10] = wrap;
    f[11] = firstRecord;
    f[12] = nextRecord;
    f[FIELDS] = crc32(this.#fieldBytes);
    this.#numbers.set(f, slotAt(slot) / FIELD_BYTES);
  }

  #published(): 0 | 1 {
    switch (Atomics.load(this.#word, PUBLISHED)) {
      case NEVER_LIVED:
      case SLOT_VALUES[0]:
        return 0;
      case SLOT_VALUES[1]:
        return 1;
      default:
        throw storageDamaged("the word that says what is published has no such value");
    }
  }
}
