import { threadId } from "node:worker_threads";
import type { AppliedAt, QueriedAt, StateMachine } from "@synod/runtime";

export type Add = { readonly key: string; readonly by: number };
type Entry = [string, number];

/** Sums by key: a good machine, in the parts that the others break one at a time. */
export class Sums implements StateMachine<Add, unknown, string, unknown, Entry> {
  sums = new Map<string, number>();

  apply({ key, by }: Add, _at: AppliedAt): unknown {
    if (by === 0) throw new RangeError(`nothing is added to ${key}`);
    const sum = (this.sums.get(key) ?? 0) + by;
    this.sums.set(key, sum);
    return sum;
  }

  query(key: string, _at: QueriedAt): unknown {
    return this.sums.get(key);
  }

  *snapshot(): Generator<Entry> {
    for (const [key, sum] of this.sums) yield [key, sum];
  }

  async restore(chunks: AsyncIterable<Entry>): Promise<void> {
    this.sums.clear();
    for await (const [key, sum] of chunks) this.sums.set(key, sum);
  }
}

const shared = new Map<string, number>();

export const broken = {
  clock: class extends Sums {
    override apply(command: Add, at: AppliedAt) {
      return [super.apply(command, at), Date.now()];
    }
  },
  "the day of the week": class extends Sums {
    override apply({ key, by }: Add, at: AppliedAt) {
      return super.apply(
        { key, by: new Date().getFullYear() === 2000 ? by : by * new Date().getFullYear() },
        at,
      );
    }
  },
  "a rare draw": class extends Sums {
    override apply(command: Add, at: AppliedAt) {
      return Math.random() < 1e-9 ? "jackpot" : super.apply(command, at);
    }
  },
  "a time in the state": class extends Sums {
    #createdMs = performance.now();
    override query(key: string, at: QueriedAt) {
      return [super.query(key, at), Math.floor(this.#createdMs / 86_400_000)];
    }
  },
  "an age": class extends Sums {
    readonly #createdMs = Date.now();
    override apply(command: Add, at: AppliedAt) {
      const ageDays = Math.round((Date.now() - this.#createdMs) / 86_400_000);
      return [super.apply(command, at), ageDays];
    }
  },
  "work after a turn": class extends Sums {
    override apply(command: Add, at: AppliedAt) {
      setImmediate(() => super.apply({ ...command, by: 1 }, at));
      return null;
    }
  },
  "an error that tells the time": class extends Sums {
    override apply(command: Add, at: AppliedAt) {
      if (command.by === 0) throw new Error(`at ${Date()}`);
      return super.apply(command, at);
    }
  },
  "a module's state": class extends Sums {
    override sums = shared;
  },
  "asynchronous apply": class extends Sums {
    override async apply(command: Add, at: AppliedAt) {
      return super.apply(command, at);
    }
  },
  "asynchronous query": class extends Sums {
    override async query(key: string, at: QueriedAt) {
      return super.query(key, at);
    }
  },
  "a result that is a Map": class extends Sums {
    override apply(command: Add, at: AppliedAt) {
      return { by: { sums: new Map([[command.key, super.apply(command, at)]]) } };
    }
  },
  "an answer that is a function": class extends Sums {
    override query(key: string) {
      return [() => this.sums.get(key)];
    }
  },
  "a snapshot that is a Map": class extends Sums {
    // biome-ignore lint/suspicious/noExplicitAny: the mistake under test
    override *snapshot(): Generator<any> {
      yield { sums: this.sums };
    }
  },
  "a changed command": class extends Sums {
    override apply(command: Add, at: AppliedAt) {
      (command as { by: number }).by++;
      return super.apply(command, at);
    }
  },
  "a query that counts": class extends Sums {
    override query(key: string) {
      const sum = (this.sums.get(key) ?? 0) + 1;
      this.sums.set(key, sum);
      return sum;
    }
  },
  "a query that counts in secret": class extends Sums {
    #asked = 0;
    override query(key: string, at: QueriedAt) {
      return [super.query(key, at), ++this.#asked];
    }
  },
  "a query that cleans up": class extends Sums {
    #changedMs = 0;
    override apply(command: Add, at: AppliedAt) {
      this.#changedMs = at.timeMs;
      return super.apply(command, at);
    }
    override query(key: string, at: QueriedAt) {
      if (at.timeMs > this.#changedMs) this.sums.clear();
      return super.query(key, at);
    }
  },
  "a query that keeps its time": class extends Sums {
    #asked: QueriedAt | undefined;
    override query(key: string, at: QueriedAt) {
      const first = this.#asked?.timeMs;
      this.#asked ??= at;
      return [super.query(key, at), first];
    }
  },
  "a snapshot that empties": class extends Sums {
    override *snapshot() {
      yield* [...super.snapshot()];
      this.sums.clear();
    }
  },
  "a snapshot with its date": class extends Sums {
    override *snapshot(): Generator<Entry> {
      yield* super.snapshot();
      yield ["at", Date.now()];
    }
  },
  "live references": class extends Sums {
    #entries: Entry[] = [];
    override apply(command: Add, at: AppliedAt) {
      const sum = super.apply(command, at) as number;
      const entry = this.#entries.find(([key]) => key === command.key);
      if (entry === undefined) this.#entries.push([command.key, sum]);
      else entry[1] = sum;
      return sum;
    }
    override *snapshot() {
      yield* this.#entries;
    }
    override async restore(chunks: AsyncIterable<Entry>) {
      await super.restore(chunks);
      this.#entries = [...super.snapshot()];
    }
  },
  "a forgotten field": class extends Sums {
    #count = 0;
    override apply(command: Add, at: AppliedAt) {
      return [super.apply(command, at), ++this.#count];
    }
  },
  "a forgotten field that only queries show": class extends Sums {
    #last = "";
    override apply(command: Add, at: AppliedAt) {
      this.#last = command.key;
      return super.apply(command, at);
    }
    override query(key: string, at: QueriedAt) {
      return [super.query(key, at), this.#last];
    }
  },
  "another order": class extends Sums {
    override async restore(chunks: AsyncIterable<Entry>) {
      const entries: Entry[] = [];
      for await (const entry of chunks) entries.push(entry);
      this.sums = new Map(entries.reverse());
    }
  },
  "a restore that goes on in the background": class extends Sums {
    override async restore(chunks: AsyncIterable<Entry>) {
      void super.restore(chunks);
    }
  },
  "a restore that merges": class extends Sums {
    override async restore(chunks: AsyncIterable<Entry>) {
      for await (const [key, sum] of chunks) this.sums.set(key, sum);
    }
  },
  "a kept position": class extends Sums {
    #at: AppliedAt | undefined;
    override apply(command: Add, at: AppliedAt) {
      const latest = this.#at?.instance ?? -1;
      this.#at = at;
      return [super.apply(command, at), latest];
    }
  },
  "a snapshot that throws while nothing is applied": class extends Sums {
    override *snapshot() {
      if (this.sums.size === 0) throw new RangeError("nothing yet");
      yield* super.snapshot();
    }
  },
  "a restore that throws": class extends Sums {
    override async restore() {
      throw new RangeError(`not in thread ${threadId}`);
    }
  },
} satisfies Record<string, new () => Sums>;
