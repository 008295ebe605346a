import type { Histogram } from "hdr-histogram-js";
import { type Load, record, type Slice } from "./load.js";

/** Proposes the commands with the identities from `first` on. */
export type ProposeMany = (first: number, count: number) => Promise<unknown>;

/** Callers that propose many commands with one promise each, and again as soon as it settles. */
export class BulkLoad implements Load {
  readonly #propose: ProposeMany;
  readonly #calls: number;
  readonly #commands: number;
  #proposed = 0;
  #acknowledged = 0;

  /** So many calls at once, with so many commands each. */
  constructor(propose: ProposeMany, calls: number, commands: number) {
    this.#propose = propose;
    this.#calls = calls;
    this.#commands = commands;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** As a load of single commands does; `_clients` is for those. A latency is that of a call. */
  async slice(_clients: number, durationMs: number, histogram?: Histogram): Promise<Slice> {
    const before = this.#acknowledged;
    let openedAt = 0;
    let commitsOpened = 0;
    let result: Slice | undefined;
    const caller = async (): Promise<void> => {
      while (result === undefined) {
        const startedAt = performance.now();
        const first = this.#proposed + 1;
        this.#proposed += this.#commands;
        await this.#propose(first, this.#commands);
        this.#acknowledged += this.#commands;
        const now = performance.now();
        if (openedAt === 0) {
          if (this.#acknowledged - before < this.#calls * this.#commands) continue;
          openedAt = now;
          commitsOpened = this.#acknowledged;
        } else if (result === undefined) {
          if (histogram !== undefined) record(histogram, now - startedAt);
          if (now - openedAt < durationMs) continue;
          result = { commits: this.#acknowledged - commitsOpened, durationMs: now - openedAt };
        }
      }
    };
    await Promise.all(Array.from({ length: this.#calls }, caller));
    return result as unknown as Slice;
  }
}
