import { ApplyFailure, type Results } from "@synod/core";

/** A command of the log, as a replica applied it: what came twice was filtered out by its session. */
export interface ReplicaEntry<Command = unknown, Value = unknown> {
  readonly instance: number;
  /** The leader's clock when it proposed the command, in milliseconds; as `apply` was told. */
  readonly timeMs: number;
  /** The session of the client that proposed it: the instance that opened it. */
  readonly session: number;
  /** What `apply` was given, and often the very object, which the state may hold on to: do not change it. */
  readonly command: Command;
  /** What `apply` returned here, likewise; undefined when it threw. */
  readonly result: Value | undefined;
  /** What `apply` threw, as text. */
  readonly failure?: string;
}

/** Commands of consecutive instances that were applied in one go. */
export interface Run {
  readonly firstInstance: number;
  readonly timeMs: number;
  readonly session: number;
  /** The command that stands so many instances behind the first one. */
  readonly commandAt: (position: number) => unknown;
  readonly results: Results;
  /** What they take in the log. */
  readonly bytes: number;
}

export const endOfRun = (run: Run): number => run.firstInstance + run.results.length;

/** What was applied last, bounded: the past that a replica can still tell. Runs are dropped whole. */
export class EntryTail {
  readonly #commandsMax: number;
  readonly #bytesMax: number;
  #runs: Run[] = [];
  /** Runs before it were dropped. */
  #head = 0;
  #commands = 0;
  #bytes = 0;
  #firstInstance = 0;
  /** Somebody reads what is added. */
  isFollowed = false;

  constructor({ commandsMax, bytesMax }: { readonly commandsMax: number; readonly bytesMax: number }) {
    this.#commandsMax = commandsMax;
    this.#bytesMax = bytesMax;
  }

  /** Everything from this instance on is there. */
  get firstInstance(): number {
    return this.#firstInstance;
  }

  add(run: Run): void {
    this.#runs.push(run);
    this.#commands += run.results.length;
    this.#bytes += run.bytes;
    // The last one stays, however large: whoever keeps up must be told of it.
    while (this.#isTooMuch && this.#head < this.#runs.length - 1) {
      const oldest = this.#runs[this.#head]!;
      this.#head += 1;
      this.#commands -= oldest.results.length;
      this.#bytes -= oldest.bytes;
      this.#firstInstance = endOfRun(oldest);
    }
    if (this.#head * 2 < this.#runs.length) return;
    this.#runs = this.#runs.slice(this.#head);
    this.#head = 0;
  }

  get #isTooMuch(): boolean {
    return this.#commands > this.#commandsMax || this.#bytes > this.#bytesMax;
  }

  /** A snapshot was restored: what it holds was never applied here. */
  restart(instance: number): void {
    this.#runs = [];
    this.#head = 0;
    this.#commands = 0;
    this.#bytes = 0;
    this.#firstInstance = instance;
  }

  /** The first run that ends above an instance. */
  runFrom(instance: number): Run | undefined {
    let low = this.#head;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endOfRun(this.#runs[middle]!) > instance) high = middle;
      else low = middle + 1;
    }
    return this.#runs[low];
  }
}

export function entryAt(run: Run, instance: number): ReplicaEntry {
  const { firstInstance, timeMs, session, commandAt, results } = run;
  const position = instance - firstInstance;
  const result = results[position];
  const entry = { instance, timeMs, session, command: commandAt(position) };
  if (!(result instanceof ApplyFailure)) return { ...entry, result };
  return { ...entry, result: undefined, failure: result.reason };
}
