/**
 * A lane: a ring of bytes in shared memory with one writer and one reader, after Lamport, "Proving the
 * Correctness of Multiprocess Programs" (1977). The writer owns the tail, the reader owns the head; both only
 * grow, as 32-bit counters that wrap. One atomic store of the tail publishes everything written since the last
 * one; one atomic store of the head gives the room back. Either side may die at any instruction and a successor
 * resumes from the published counters.
 *
 * Every frame starts on a multiple of four with a header word: 30 bits of length, then two flags. Frames wrap
 * around the end of the ring, headers never do.
 */
import { AssertionError } from "node:assert";
import { copyToShared, memoryLike } from "../shared-copy.js";

/** Where the counters are, in 32-bit words. What different threads write lies on different pairs of cache lines. */
const TAIL = 0;
/** The tail of the last flush that also rang the doorbell: what lies below it was announced. */
const SETTLED = 16;
const HEAD = 32;
const DATA = 64;
const DATA_BYTES = DATA * 4;

const HEADER_BYTES = 4;
const LENGTH_MASK = 0x3fffffff;
/** The frame goes on in the next entry. */
const MORE = 0x40000000;
/** The frame began in an earlier entry. An entry without it that has `MORE` starts with the frame's length. */
const CONTINUES = 0x80000000 | 0;

/** Bounds of a capacity: an eighth of it holds a part with its headers; a length leaves room for two flags. */
export const LANE_BYTES_MIN = 256;
export const LANE_BYTES_MAX = 2 ** 30;
/** The largest frame in bytes; the bound that tells a damaged length from a large frame sent in parts. */
export const FRAME_BYTES_MAX = 2 ** 28;

/** Makes an empty lane. @throws RangeError for a capacity that is no power of two or out of bounds. */
export function createLane(capacityBytes: number, startAt = 0): SharedArrayBuffer {
  const isPowerOfTwo = Number.isInteger(Math.log2(capacityBytes));
  if (!isPowerOfTwo || capacityBytes < LANE_BYTES_MIN || capacityBytes > LANE_BYTES_MAX) {
    const allowed = `a power of two from ${LANE_BYTES_MIN} to ${LANE_BYTES_MAX}`;
    throw new RangeError(`the capacity of a lane is ${allowed} bytes, not ${capacityBytes}`);
  }
  if (startAt % 4 !== 0) throw new RangeError(`a lane's counters start at a multiple of 4, not ${startAt}`);
  const memory = new SharedArrayBuffer(DATA_BYTES + capacityBytes);
  const words = new Int32Array(memory);
  for (const counter of [TAIL, SETTLED, HEAD]) words[counter] = startAt | 0;
  return memory;
}

/** What both ends know of a lane. */
class LaneEnd {
  readonly #name: string;
  protected readonly words: Int32Array;
  protected readonly bytes: Uint8Array;
  protected readonly capacity: number;
  protected readonly mask: number;

  constructor(memory: SharedArrayBuffer, name: string) {
    this.#name = name;
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory, DATA_BYTES);
    this.capacity = this.bytes.length;
    this.mask = this.capacity - 1;
  }

  /** The index of the word at a position of the ring. */
  protected wordAt(position: number): number {
    return DATA + ((position & this.mask) >> 2);
  }

  /** Bytes between two counters. @throws AssertionError if no lane could hold them. */
  protected distance(tail: number, head: number): number {
    const bytes = (tail - head) | 0;
    if (bytes < 0 || bytes > this.capacity)
      this.fail(`tail ${tail} and head ${head} of ${this.capacity} bytes`);
    return bytes;
  }

  protected fail(what: string): never {
    throw new AssertionError({ message: `lane ${this.#name} is damaged: ${what}` });
  }
}

/** The writing end. */
export class LaneWriter extends LaneEnd {
  #tail: number;
  #settled: number;
  /** The head as last seen: the true one is never behind it. */
  #head: number;
  /** What is left of an oversized frame. */
  #rest: Uint8Array | undefined;
  #restLength = 0;

  /** Resumes where the last published frame ends, whatever a predecessor wrote after it. */
  constructor(memory: SharedArrayBuffer, name: string) {
    super(memory, name);
    this.#tail = Atomics.load(this.words, TAIL);
    this.#settled = Atomics.load(this.words, SETTLED);
    this.#head = Atomics.load(this.words, HEAD);
    this.distance(this.#tail, this.#head);
  }

  /** True while an oversized frame is not all in. */
  get isFeeding(): boolean {
    return this.#rest !== undefined;
  }

  /** At least such a part of it waits to be read. */
  isFilled(part: number): boolean {
    return !this.#hasRoom(this.capacity * (1 - part) + 1);
  }

  /** Copies a frame in, or refuses it: see `Outbox.send`. */
  write(frame: Uint8Array): boolean {
    if (this.#rest !== undefined) return false;
    const entryBytes = entryBytesOf(frame.length);
    if (entryBytes > this.capacity >> 1) {
      this.#takeOver(frame);
      return true;
    }
    if (!this.#hasRoom(entryBytes)) return false;
    this.words[this.wordAt(this.#tail)] = frame.length;
    this.#copyIn(frame, this.#tail + HEADER_BYTES);
    this.#tail = (this.#tail + entryBytes) | 0;
    return true;
  }

  /** Publishes with one store; true if there was something that the receiver has not been told of. */
  publish(): boolean {
    if (this.#rest !== undefined) this.#feed();
    if (this.#tail === this.#settled) return false;
    Atomics.store(this.words, TAIL, this.#tail);
    return true;
  }

  /** Says that the receiver has been told of all that is published: only then can a wake-up count as lost. */
  settle(): void {
    this.#settled = this.#tail;
    Atomics.store(this.words, SETTLED, this.#tail);
  }

  #takeOver(frame: Uint8Array): void {
    if (frame.length > FRAME_BYTES_MAX) {
      throw new RangeError(`a frame has at most ${FRAME_BYTES_MAX} bytes, not ${frame.length}`);
    }
    this.#rest = frame;
    this.#restLength = frame.length;
    this.#feed();
    if (this.#rest !== undefined) this.#rest = new Uint8Array(this.#rest); // A copy: the caller goes on with its own.
  }

  /** Writes parts while there is room for one of at least an eighth of the lane, or for the last one. */
  #feed(): void {
    const partBytesMin = this.capacity >> 3;
    while (this.#rest !== undefined) {
      const isFirst = this.#rest.length === this.#restLength;
      const extraBytes = HEADER_BYTES + (isFirst ? 4 : 0);
      const wantedBytes = Math.min(entryBytesOf(this.#rest.length) + 4, partBytesMin);
      if (!this.#hasRoom(wantedBytes)) return;
      const roomBytes = this.capacity - this.distance(this.#tail, this.#head);
      const length = Math.min(this.#rest.length, roomBytes - extraBytes, (this.capacity >> 1) - extraBytes);
      const isLast = length === this.#rest.length;
      const flags = (isFirst ? 0 : CONTINUES) | (isLast ? 0 : MORE);
      this.words[this.wordAt(this.#tail)] = (length + extraBytes - HEADER_BYTES) | flags;
      if (isFirst) this.words[this.wordAt(this.#tail + HEADER_BYTES)] = this.#restLength;
      this.#copyIn(this.#rest.subarray(0, length), this.#tail + extraBytes);
      this.#tail = (this.#tail + entryBytesOf(length + extraBytes - HEADER_BYTES)) | 0;
      this.#rest = isLast ? undefined : this.#rest.subarray(length);
    }
  }

  #hasRoom(bytes: number): boolean {
    if (this.capacity - ((this.#tail - this.#head) | 0) >= bytes) return true;
    this.#head = Atomics.load(this.words, HEAD);
    return this.capacity - this.distance(this.#tail, this.#head) >= bytes;
  }

  #copyIn(source: Uint8Array, position: number): void {
    const at = position & this.mask;
    const beforeEnd = this.capacity - at;
    if (source.length <= beforeEnd) {
      copyToShared(this.bytes, at, source);
    } else {
      copyToShared(this.bytes, at, source.subarray(0, beforeEnd));
      copyToShared(this.bytes, 0, source.subarray(beforeEnd));
    }
  }
}

/** The reading end. */
export class LaneReader extends LaneEnd {
  #head: number;
  /** The tail as last seen: the true one is never behind it. */
  #tail: number;
  /** A frame that arrives in parts, and how much of it is there. */
  #partial: { readonly frame: Buffer; filled: number } | undefined;

  /** Resumes after the last consumed frame. */
  constructor(memory: SharedArrayBuffer, name: string) {
    super(memory, name);
    this.#head = Atomics.load(this.words, HEAD);
    this.#tail = this.#head;
  }

  isEmpty(): boolean {
    return this.#head === this.#tail && Atomics.load(this.words, TAIL) === this.#head;
  }

  depthBytes(): number {
    return this.distance(Atomics.load(this.words, TAIL), this.#head);
  }

  /** True if frames wait whose sender has finished its flush, ring included. */
  hasSettledFrames(): boolean {
    return ((Atomics.load(this.words, SETTLED) - this.#head) | 0) > 0;
  }

  /**
   * Copies the next frame out and consumes it. Undefined if there is none, and after each part of a frame but
   * the last one, so that a huge frame holds up neither the control lane nor the other senders.
   * @throws AssertionError naming the lane if its counters or a length are impossible.
   */
  next(): Uint8Array | undefined {
    if (this.#head === this.#tail) {
      const tail = Atomics.load(this.words, TAIL);
      if (tail === this.#head) return undefined;
      this.distance(tail, this.#head);
      this.#tail = tail;
    }
    const header = this.words[this.wordAt(this.#head)]!;
    const length = header & LENGTH_MASK;
    const entryBytes = entryBytesOf(length);
    if (entryBytes > ((this.#tail - this.#head) | 0)) {
      this.fail(`an entry of ${length} bytes with ${(this.#tail - this.#head) | 0} published`);
    }
    if (header !== length) return this.#nextPart(header, length, entryBytes);
    this.#partial = undefined; // What is half-assembled now was left by a sender that died.
    const payloadAt = this.#head + HEADER_BYTES;
    const frame = memoryLike(this.bytes, payloadAt & this.mask, length);
    this.#copyOut(payloadAt, length, frame, 0);
    this.#consume(entryBytes);
    return frame;
  }

  #nextPart(header: number, length: number, entryBytes: number): Uint8Array | undefined {
    let at = this.#head + HEADER_BYTES;
    let partLength = length;
    if ((header & CONTINUES) === 0) {
      const frameLength = this.words[this.wordAt(at)]! >>> 0;
      at += 4;
      partLength -= 4;
      if (frameLength > FRAME_BYTES_MAX || partLength <= 0 || partLength >= frameLength) {
        this.fail(`a first part of ${partLength} bytes of a frame of ${frameLength}`);
      }
      this.#partial = { frame: Buffer.allocUnsafeSlow(frameLength), filled: 0 };
    }
    const partial = this.#partial;
    if (partial !== undefined) {
      const filled = partial.filled + partLength;
      const isLast = (header & MORE) === 0;
      if (isLast ? filled !== partial.frame.length : filled >= partial.frame.length) {
        this.fail(`parts of ${filled} bytes for a frame of ${partial.frame.length}`);
      }
      this.#copyOut(at, partLength, partial.frame, partial.filled);
      partial.filled = filled;
      this.#consume(entryBytes);
      if (!isLast) return undefined;
      this.#partial = undefined;
      return partial.frame;
    }
    this.#consume(entryBytes); // The frame began before this reader did: it is lost, as its first parts are.
    return undefined;
  }

  #consume(entryBytes: number): void {
    this.#head = (this.#head + entryBytes) | 0;
    Atomics.store(this.words, HEAD, this.#head);
  }

  #copyOut(position: number, length: number, target: Uint8Array, offset: number): void {
    const at = position & this.mask;
    const beforeEnd = this.capacity - at;
    if (length <= beforeEnd) {
      target.set(this.bytes.subarray(at, at + length), offset);
    } else {
      target.set(this.bytes.subarray(at), offset);
      target.set(this.bytes.subarray(0, length - beforeEnd), offset + beforeEnd);
    }
  }
}

/** Bytes that an entry takes in the ring: header, payload, and padding to a multiple of four. */
function entryBytesOf(payloadBytes: number): number {
  return (HEADER_BYTES + payloadBytes + 3) & ~3;
}
