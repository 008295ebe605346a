/** A map from pairs of small whole numbers to whole numbers; a `Map` of strings would cost most of a run. */
export class IntPairMap {
  #firsts = new Int32Array(64);
  #seconds = new Int32Array(64);
  /** Values plus one; 0 is a free slot. */
  #values = new Int32Array(64);
  #size = 0;

  /** The value, or -1 when there is none. */
  get(first: number, second: number): number {
    return this.#values[this.#slotOf(first, second)]! - 1;
  }

  set(first: number, second: number, value: number): void {
    const slot = this.#slotOf(first, second);
    if (this.#values[slot] === 0) this.#size += 1;
    this.#firsts[slot] = first;
    this.#seconds[slot] = second;
    this.#values[slot] = value + 1;
    if (this.#size * 2 > this.#values.length) this.#grow();
  }

  #slotOf(first: number, second: number): number {
    const mask = this.#values.length - 1;
    let slot = mixed(mixed(first) ^ second) & mask;
    while (this.#values[slot] !== 0 && (this.#firsts[slot] !== first || this.#seconds[slot] !== second))
      slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const { length } = this.#values;
    const [firsts, seconds, values] = [this.#firsts, this.#seconds, this.#values];
    this.#firsts = new Int32Array(length * 2);
    this.#seconds = new Int32Array(length * 2);
    this.#values = new Int32Array(length * 2);
    this.#size = 0;
    for (let slot = 0; slot < length; slot++) {
      if (values[slot] !== 0) this.set(firsts[slot]!, seconds[slot]!, values[slot]! - 1);
    }
  }
}

/** Spreads the bits of a whole number. Source: the finaliser of MurmurHash3. */
export function mixed(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
