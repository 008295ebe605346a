import { closeSync, openSync, readSync } from "node:fs";

const space = 0x20;
const zero = 0x30;

/** How long this thread has had a core, which Node 20 does not tell. Linux counts it. */
export class ThreadTime {
  readonly #file: number | undefined;
  readonly #bytes = new Uint8Array(64);

  constructor() {
    try {
      this.#file = openSync("/proc/thread-self/schedstat", "r");
    } catch {
      // Not Linux, or without these statistics: then it is not known.
      this.#file = undefined;
    }
  }

  /** Milliseconds; NaN where they are not known. Makes no garbage: it is read in every turn of an event loop. */
  ranMs(): number {
    if (this.#file === undefined) return Number.NaN;
    const length = readSync(this.#file, this.#bytes, 0, this.#bytes.length, 0);
    let nanoseconds = 0;
    for (let at = 0; at < length && this.#bytes[at] !== space; at++) {
      nanoseconds = nanoseconds * 10 + this.#bytes[at]! - zero;
    }
    return nanoseconds / 1e6;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
