// What is replicated: every learner makes one Counter and applies the same commands in the same order.
export default class Counter {
  /** The learners run in other threads and load the class from here. */
  static moduleUrl = import.meta.url;
  #total;

  constructor({ start = 0 } = {}) {
    this.#total = start;
  }

  /** Nothing but the state and the command decides: no clock, no chance, no I/O. */
  apply({ by }) {
    if (!Number.isSafeInteger(by)) throw new TypeError(`by is ${by}, not a whole number`);
    this.#total += by;
    return this.#total;
  }

  query() {
    return this.#total;
  }

  *snapshot() {
    yield this.#total;
  }

  async restore(chunks) {
    for await (const total of chunks) this.#total = total;
  }
}
