// The state machine: how often each page was visited. Every learner makes one and loads it from this module.
import type { StateMachine } from "@synod/runtime";

export interface Visit {
  readonly page: string;
}

export interface VisitsOptions {
  /** Visits of pages with other names are refused. */
  readonly pages?: readonly string[];
}

type Row = readonly [page: string, count: number];

export default class Visits implements StateMachine<Visit, number, string, number, Row> {
  /** Of this very file, be it dist/visits.js or src/visits.ts. */
  static readonly moduleUrl = import.meta.url;
  readonly #counts = new Map<string, number>();
  readonly #pages: ReadonlySet<string> | undefined;

  constructor(options: VisitsOptions = {}) {
    this.#pages = options.pages === undefined ? undefined : new Set(options.pages);
  }

  apply({ page }: Visit): number {
    if (this.#pages?.has(page) === false) throw new RangeError(`there is no page ${page}`);
    const count = this.query(page) + 1;
    this.#counts.set(page, count);
    return count;
  }

  query(page: string): number {
    return this.#counts.get(page) ?? 0;
  }

  *snapshot(): Generator<Row> {
    yield* this.#counts;
  }

  async restore(chunks: AsyncIterable<Row>): Promise<void> {
    this.#counts.clear();
    for await (const [page, count] of chunks) this.#counts.set(page, count);
  }
}
