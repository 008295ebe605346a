import { type ByteTable, byteTable } from "./byte-codec.js";
import type { CommandBatch } from "./state-machine.js";

/** Which commands a batch is to have. */
export interface BatchSpec {
  /** What encodeBytes() made; `skip` of its commands are passed over. */
  readonly encoded: Uint8Array;
  readonly skip: number;
  readonly count: number;
  readonly firstInstance: number;
  /** Logical time, in milliseconds. */
  readonly timeMs: number;
}

/** Goes through the commands of a segment of bytes, for a state machine's `applyBatch`. */
export class BatchCursor implements CommandBatch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly count: number;
  readonly timeMs: number;
  readonly results: Float64Array;
  index = -1;
  start = 0;
  end = 0;
  instance: number;
  readonly #table: ByteTable;
  readonly #recordBytes: number;
  readonly #skip: number;

  constructor({ encoded, skip, count, firstInstance, timeMs }: BatchSpec, hasResults: boolean) {
    this.bytes = encoded;
    this.view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
    this.count = count;
    this.timeMs = timeMs;
    this.results = new Float64Array(hasResults ? count : 0);
    this.instance = firstInstance - 1;
    this.#table = byteTable(this.view);
    this.#recordBytes = this.#table.recordBytes;
    this.#skip = skip;
    this.end = this.#table.startOf(skip);
  }

  next(): boolean {
    if (this.index + 1 >= this.count) return false;
    this.index += 1;
    this.instance += 1;
    this.start = this.end;
    this.end =
      this.#recordBytes > 0
        ? this.start + this.#recordBytes
        : this.#table.startOf(this.#skip + this.index + 1);
    return true;
  }
}
