import type { CellInput } from "./cell-model.js";

/** Floats of one record. */
const recordFloats = 8;
/** Some seconds of what a client does: it stops calling while nobody reads. A power of two. */
const recordsDefault = 16_384;
/** Places in the header: how many records were written and read. Their difference counts, so they may wrap. */
const written = 0;
const read = 1;
const headerBytes = 8;

const kinds = ["call", "return", "failure", "probe"] as const;
const inputs = ["get", "set", "cas", "increment"] as const;
const outcomes = ["not-applied", "unknown"] as const;

/** One thing that a client noted. Times are of the process's one monotonic clock, in milliseconds. */
export type JournalRecord =
  | {
      readonly kind: "call";
      readonly number: number;
      readonly atMs: number;
      readonly generation: number;
      readonly slot: number;
      readonly input: CellInput;
    }
  | {
      readonly kind: "return";
      readonly number: number;
      readonly atMs: number;
      readonly output: number | boolean;
    }
  | {
      readonly kind: "failure";
      readonly number: number;
      readonly atMs: number;
      readonly outcome: (typeof outcomes)[number];
    }
  /** An operation that is of interest for its times only. */
  | { readonly kind: "probe"; readonly calledAtMs: number; readonly returnedAtMs: number };

/** Memory for a journal, to be shared by its writer and its reader. */
export function createJournal(records = recordsDefault): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + records * recordFloats * Float64Array.BYTES_PER_ELEMENT);
}

class Ring {
  readonly header: Int32Array;
  readonly floats: Float64Array;
  readonly records: number;

  constructor(memory: SharedArrayBuffer) {
    this.header = new Int32Array(memory, 0, 2);
    this.floats = new Float64Array(memory, headerBytes);
    this.records = this.floats.length / recordFloats;
  }

  get used(): number {
    return (Atomics.load(this.header, written) - Atomics.load(this.header, read)) | 0;
  }

  offsetOf(count: number): number {
    return (count & (this.records - 1)) * recordFloats;
  }
}

/**
 * Where a client notes each call before it makes it, and each return after it. It lies in shared memory: what a
 * client has called survives its thread, so that nothing is missing in a history when the thread is killed.
 */
export class JournalWriter {
  readonly #ring: Ring;
  /** Calls whose end is still to be noted. */
  #open = 0;
  #calls = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory);
  }

  /** Whether there is room for a call and its end, besides the ends of all calls that are open. */
  get hasRoom(): boolean {
    return this.#ring.used + this.#open + 2 <= this.#ring.records;
  }

  /** Notes a call, which has to follow; returns its number. Only with {@link hasRoom}. */
  call(atMs: number, generation: number, slot: number, input: CellInput): number {
    const number = ++this.#calls;
    this.#open++;
    const value = input.kind === "set" || input.kind === "cas" ? input.value : 0;
    const expected = input.kind === "cas" ? input.expected : 0;
    this.#write("call", number, atMs, generation, slot, inputs.indexOf(input.kind), value, expected);
    return number;
  }

  returned(number: number, atMs: number, output: number | boolean): void {
    this.#open--;
    const isBoolean = typeof output === "boolean";
    this.#write("return", number, atMs, Number(output), isBoolean ? 1 : 0);
  }

  failed(number: number, atMs: number, outcome: (typeof outcomes)[number]): void {
    this.#open--;
    this.#write("failure", number, atMs, outcomes.indexOf(outcome));
  }

  /** Leaves it out when there is no room: a probe is one of many. */
  probe(calledAtMs: number, returnedAtMs: number): void {
    if (this.hasRoom) this.#write("probe", calledAtMs, returnedAtMs);
  }

  #write(kind: (typeof kinds)[number], ...fields: readonly number[]): void {
    const ring = this.#ring;
    const count = Atomics.load(ring.header, written);
    const offset = ring.offsetOf(count);
    ring.floats[offset] = kinds.indexOf(kind);
    for (let field = 0; field < fields.length; field++) ring.floats[offset + 1 + field] = fields[field]!;
    // One store publishes the record: a thread that ends before it has noted nothing, and called nothing.
    Atomics.store(ring.header, written, (count + 1) | 0);
  }
}

/** Reads what was noted, in order, each record once. */
export class JournalReader {
  readonly #ring: Ring;

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory);
  }

  *take(): Generator<JournalRecord> {
    const ring = this.#ring;
    for (let left = ring.used; left > 0; left--) {
      const count = Atomics.load(ring.header, read);
      const record = decode(ring.floats, ring.offsetOf(count));
      Atomics.store(ring.header, read, (count + 1) | 0);
      yield record;
    }
  }
}

function decode(floats: Float64Array, offset: number): JournalRecord {
  const at = (field: number): number => floats[offset + field]!;
  const kind = kinds[at(0)]!;
  switch (kind) {
    case "call": {
      const input = decodeInput(at(5), at(6), at(7));
      return { kind, number: at(1), atMs: at(2), generation: at(3), slot: at(4), input };
    }
    case "return":
      return { kind, number: at(1), atMs: at(2), output: at(4) === 1 ? at(3) === 1 : at(3) };
    case "failure":
      return { kind, number: at(1), atMs: at(2), outcome: outcomes[at(3)]! };
    case "probe":
      return { kind, calledAtMs: at(1), returnedAtMs: at(2) };
  }
}

function decodeInput(index: number, value: number, expected: number): CellInput {
  const kind = inputs[index]!;
  switch (kind) {
    case "get":
    case "increment":
      return { kind };
    case "set":
      return { kind, value };
    case "cas":
      return { kind, expected, value };
  }
}
