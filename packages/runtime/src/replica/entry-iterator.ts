import type { SynodError } from "../errors.js";
import { type EntryTail, endOfRun, entryAt, type ReplicaEntry, type Run } from "./entry-tail.js";

/** What an iterator needs of its replica. */
export interface EntrySource {
  readonly tail: EntryTail;
  /** The iterator waits for an entry, or does not any more. */
  waits(iterator: EntryIterator, isWaiting: boolean): void;
  /** It is over. */
  ended(iterator: EntryIterator): void;
  trimmed(from: number): SynodError;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<ReplicaEntry>) => void;
  readonly reject: (error: unknown) => void;
}

/** Follows what a replica applies. Not an async generator, since the end must settle a `next()` that waits. */
export class EntryIterator implements AsyncIterableIterator<ReplicaEntry> {
  readonly #source: EntrySource;
  #next: number;
  #run: Run | undefined;
  #waiting: Waiting[] = [];
  /** Set once it is over: with an error that is told once. */
  #end: { error: SynodError | undefined } | undefined;

  constructor(source: EntrySource, from: number) {
    this.#source = source;
    this.#next = from;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ReplicaEntry>> {
    if (this.#waiting.length === 0) {
      const found = this.#take();
      if (found !== undefined) return Promise.resolve(found);
      const error = this.#takeError();
      if (error !== undefined) return Promise.reject(error);
      if (this.#end !== undefined) return Promise.resolve(done);
      this.#source.waits(this, true);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<ReplicaEntry>> {
    this.end(undefined);
    return Promise.resolve(done);
  }

  /** More may have been applied, or what it wants may be gone. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const found = this.#take();
      if (found === undefined) return;
      this.#waiting.shift()?.resolve(found);
    }
    this.#source.waits(this, false);
  }

  /** The first call counts. */
  end(error: SynodError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#run = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#source.waits(this, false);
    this.#source.ended(this);
    for (const { resolve, reject } of waiting) {
      const told = this.#takeError();
      if (told === undefined) resolve(done);
      else reject(told);
    }
  }

  /** The next entry, if it is there. Ends by itself when it was dropped. */
  #take(): IteratorResult<ReplicaEntry> | undefined {
    if (this.#end !== undefined) return undefined;
    if (this.#run === undefined || this.#next >= endOfRun(this.#run)) {
      const { tail } = this.#source;
      if (this.#next < tail.firstInstance) {
        this.end(this.#source.trimmed(this.#next));
        return undefined;
      }
      this.#run = tail.runFrom(this.#next);
      if (this.#run === undefined) return undefined;
    }
    const instance = Math.max(this.#next, this.#run.firstInstance);
    this.#next = instance + 1;
    return { value: entryAt(this.#run, instance), done: false };
  }

  #takeError(): SynodError | undefined {
    const error = this.#end?.error;
    if (this.#end !== undefined) this.#end.error = undefined;
    return error;
  }
}

const done: IteratorResult<ReplicaEntry> = { value: undefined, done: true };
