/**
 * Whether a client is there: two words in shared memory. They are the truth, and announcements only make threads
 * look at them. So an announcement may come late, twice, or after a later one.
 */
const STATE = 0;
/** Counts signs of life. Wrapping is harmless: only changes are looked at. */
const BEATS = 1;
const PRESENCE_BYTES = 8;

const HERE = 0;
const LEFT = 1;
const EXPELLED = 2;

export function createPresence(): SharedArrayBuffer {
  return new SharedArrayBuffer(PRESENCE_BYTES);
}

/** A view of the words, on any thread. */
export class Presence {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  get isHere(): boolean {
    return Atomics.load(this.#words, STATE) === HERE;
  }

  get beats(): number {
    return Atomics.load(this.#words, BEATS);
  }

  /** The client lives. True if it was taken for dead: it is here again, and must announce itself. */
  beat(): boolean {
    Atomics.add(this.#words, BEATS, 1);
    return Atomics.compareExchange(this.#words, STATE, EXPELLED, HERE) === EXPELLED;
  }

  /** The client goes, for good. */
  leave(): void {
    Atomics.store(this.#words, STATE, LEFT);
  }

  /** The supervisor takes the client for dead. */
  expel(): void {
    Atomics.compareExchange(this.#words, STATE, HERE, EXPELLED);
  }
}
