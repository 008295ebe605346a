import type { BytesStateMachine, CommandBatch } from "@synod/runtime";
import { type Audit, AuditCounters } from "./verifying-store.js";

/** How a {@link ByteStore} keeps its cells, and whether callers get results. */
export interface ByteStoreOptions {
  readonly cells: "map" | "array";
  readonly results: "numbers" | "none";
}

/** Bytes of a command: a 32-bit key, as many that mean nothing, and the value as a 64-bit float. */
export const recordBytes = 16;
/** Keys are below. A power of two. */
const keysMax = 1024;

/**
 * Cells that are set by commands of 16 bytes, as `VerifyingStore` is by objects: a `set` returns its position in the
 * log, and values must be 1, 2, 3 and so on.
 */
export default class ByteStore implements BytesStateMachine<{ op: "audit" }, Audit, unknown> {
  static readonly moduleUrl: string = import.meta.url;
  readonly batchResults: "numbers" | "none";
  readonly #counters = new AuditCounters();
  readonly #array = new Float64Array(keysMax);
  readonly #map: Map<number, number> | undefined;

  constructor({ cells, results }: ByteStoreOptions) {
    this.batchResults = results;
    if (cells === "map") this.#map = new Map();
  }

  applyBatch(batch: CommandBatch): void {
    const { view, results } = batch;
    const [counters, map, array] = [this.#counters, this.#map, this.#array];
    const hasResults = results.length > 0;
    while (batch.next()) {
      const key = view.getUint32(batch.start, true);
      const value = view.getFloat64(batch.start + 8, true);
      counters.applied(value);
      if (map === undefined) array[key & (keysMax - 1)] = value;
      else map.set(key, value);
      if (hasResults) results[batch.index] = batch.instance;
    }
  }

  query(): Audit {
    return this.#counters.read();
  }

  /** The benchmark restores nothing: what it would have counted since could not be checked. */
  async restore(): Promise<void> {
    throw new Error("a learner of the benchmark ended, which a row does not survive");
  }

  *snapshot(): Generator<unknown> {
    yield this.#counters.read();
    yield this.#map === undefined ? [...this.#array] : [...this.#map];
  }
}

export { ByteStore };
