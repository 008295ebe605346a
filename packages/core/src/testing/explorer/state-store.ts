import { mixed } from "./int-pair-map.js";

/** Distinct states in the order in which they were found, each a tuple of `width` whole numbers, and from where. */
export class StateStore {
  readonly #width: number;
  #tuples: Int32Array;
  #parents = new Int32Array(1024);
  /** Positions of states plus one; 0 is a free slot. */
  #slots = new Int32Array(4096);
  #size = 0;

  constructor(width: number) {
    this.#width = width;
    this.#tuples = new Int32Array(1024 * width);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#tuples.byteLength + this.#parents.byteLength + this.#slots.byteLength;
  }

  /** True when the state is new. */
  add(tuple: Int32Array, parent: number): boolean {
    const slot = this.#slotOf(tuple);
    if (this.#slots[slot] !== 0) return false;
    if (this.#size === this.#parents.length) {
      this.#tuples = doubled(this.#tuples);
      this.#parents = doubled(this.#parents);
    }
    this.#tuples.set(tuple, this.#size * this.#width);
    this.#parents[this.#size] = parent;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return true;
  }

  read(state: number, into: Int32Array): void {
    const offset = state * this.#width;
    for (let index = 0; index < this.#width; index++) into[index] = this.#tuples[offset + index]!;
  }

  parentOf(state: number): number {
    return this.#parents[state]!;
  }

  #slotOf(tuple: Int32Array): number {
    const width = this.#width;
    const mask = this.#slots.length - 1;
    let hash = width;
    for (let index = 0; index < width; index++) hash = mixed(hash ^ tuple[index]!) + index;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const state = this.#slots[slot]! - 1;
      if (state < 0) return slot;
      const offset = state * width;
      let index = 0;
      while (index < width && this.#tuples[offset + index] === tuple[index]) index += 1;
      if (index === width) return slot;
    }
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    const tuple = new Int32Array(this.#width);
    for (let state = 0; state < this.#size; state++) {
      this.read(state, tuple);
      this.#slots[this.#slotOf(tuple)] = state + 1;
    }
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
