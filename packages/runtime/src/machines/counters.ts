import type { AppliedAt, QueriedAt, StateMachine } from "../state-machine.js";
import { chunksOf } from "./chunks.js";
import { ExpiryQueue } from "./expiry-queue.js";
import { requireText, requireWhole, unknownOperation } from "./fields.js";
import {
  type Bucket,
  type BucketLimit,
  fullAtMs,
  judge,
  measuresOf,
  missingAt,
  type Taken,
} from "./token-bucket.js";

/** Numbers to add, set back to 0, or a bucket to take tokens from. */
export type CountersCommand =
  /** `by` is a whole number, 1 when left out. */
  | { readonly op: "add"; readonly key: string; readonly by?: number | undefined }
  | { readonly op: "reset"; readonly key: string }
  | ({ readonly op: "take"; readonly key: string } & BucketLimit);

/** What can be asked: a number, what a bucket would give, how many there are. */
export type CountersQuery =
  | { readonly op: "get"; readonly key: string }
  /** What `take` would give. */
  | ({ readonly op: "peek"; readonly key: string } & BucketLimit)
  | { readonly op: "size" };

/** How much is kept. */
export interface CountersSize {
  /** Counters that are not 0. */
  readonly counters: number;
  /** Buckets that are not full. */
  readonly buckets: number;
}

/** What a snapshot has of a bucket: key, version, what it lacks, since when, and what it gains. */
export type BucketRow = readonly [
  key: string,
  version: number,
  missing: number,
  sinceMs: number,
  rate: number,
];

/** What a snapshot consists of. */
export type CountersChunk =
  | { readonly timeMs: number }
  | { readonly counters: readonly (readonly [key: string, value: number])[] }
  | { readonly buckets: readonly BucketRow[] };

/**
 * Named counters, and named token buckets to limit rates with. The two have names of their own.
 *
 * `add` returns the new value, `reset` the value before; a counter that nobody has added to is 0. `take` takes tokens
 * out of a bucket, if there are enough. A bucket begins full. The caller says with each call how much it holds and how
 * fast it fills up; when that changes, what is missing in it stays missing.
 *
 * Memory: a counter that is 0 and a bucket that is full are not kept.
 */
export default class Counters
  implements StateMachine<CountersCommand, number | Taken, CountersQuery, unknown, CountersChunk>
{
  static readonly moduleUrl: string = import.meta.url;
  #counters = new Map<string, number>();
  #buckets = new Map<string, Bucket>();
  /** Buckets by the time when they are full. */
  #filling = new ExpiryQueue<Bucket>();
  /** In whole milliseconds. */
  #timeMs = 0;

  /** @throws TypeError for a command that cannot be meant; RangeError for a sum that is no exact integer any more */
  apply(command: CountersCommand, at: AppliedAt): number | Taken {
    this.#timeMs = Math.floor(at.timeMs);
    this.#filling.removeDue(this.#timeMs, ({ key }) => this.#buckets.delete(key));
    requireText(command.key, "key");
    switch (command.op) {
      case "add":
        return this.#add(command.key, command.by);
      case "reset": {
        const value = this.get(command.key);
        this.#counters.delete(command.key);
        return value;
      }
      case "take":
        return this.#take(command.key, command, at.instance);
      default:
        throw unknownOperation("command", command);
    }
  }

  /** @throws TypeError for a query that cannot be meant */
  query(query: CountersQuery, { timeMs }: QueriedAt): number | Taken | CountersSize {
    switch (query.op) {
      case "get":
        return this.get(query.key);
      case "peek":
        return this.peek(query.key, query, timeMs);
      case "size":
        return this.size(timeMs);
      default:
        throw unknownOperation("query", query);
    }
  }

  /** The value of a counter. */
  get(key: string): number {
    return this.#counters.get(key) ?? 0;
  }

  /**
   * What `take` would give.
   *
   * @param timeMs in milliseconds; left out, the time of the last command
   * @throws TypeError for a limit that cannot be meant
   */
  peek(key: string, limit: BucketLimit, timeMs: number = this.#timeMs): Taken {
    return judge(missingAt(this.#buckets.get(key), Math.floor(timeMs)), measuresOf(limit));
  }

  /** @param timeMs as for {@link peek} */
  /** How many there are of each; buckets that are full again do not count. */
  size(timeMs: number = this.#timeMs): CountersSize {
    const buckets = this.#buckets.size - this.#filling.countDue(timeMs);
    return { counters: this.#counters.size, buckets };
  }

  *snapshot(): Generator<CountersChunk> {
    yield { timeMs: this.#timeMs };
    for (const counters of chunksOf(this.#counters)) yield { counters };
    for (const buckets of chunksOf(this.#bucketRows())) yield { buckets };
  }

  async restore(chunks: AsyncIterable<CountersChunk>): Promise<void> {
    const counters = new Map<string, number>();
    const buckets = new Map<string, Bucket>();
    const filling = new ExpiryQueue<Bucket>();
    let timeMs = 0;
    for await (const chunk of chunks) {
      if ("timeMs" in chunk) timeMs = chunk.timeMs;
      else if ("counters" in chunk) for (const [key, value] of chunk.counters) counters.set(key, value);
      else {
        for (const [key, version, missing, sinceMs, rate] of chunk.buckets) {
          const bucket = { key, version, missing, sinceMs, rate, expiresAtMs: 0, queueIndex: -1 };
          buckets.set(key, bucket);
          filling.put(bucket, fullAtMs(bucket));
        }
      }
    }
    this.#counters = counters;
    this.#buckets = buckets;
    this.#filling = filling;
    this.#timeMs = timeMs;
  }

  *#bucketRows(): Generator<BucketRow> {
    for (const { key, version, missing, sinceMs, rate } of this.#buckets.values())
      yield [key, version, missing, sinceMs, rate];
  }

  #add(key: string, by = 1): number {
    requireWhole(by, "by");
    const value = this.get(key) + by;
    if (!Number.isSafeInteger(value))
      throw new RangeError(`${value} is too large for an exact integer: reset ${key}`);
    if (value === 0) this.#counters.delete(key);
    else this.#counters.set(key, value);
    return value;
  }

  #take(key: string, limit: BucketLimit, version: number): Taken {
    const measures = measuresOf(limit);
    const found = this.#buckets.get(key);
    const missing = missingAt(found, this.#timeMs);
    const taken = judge(missing, measures);
    const bucket = found ?? this.#emptied(key);
    bucket.version = version;
    bucket.missing = taken.allowed ? missing + measures.wanted : missing;
    bucket.sinceMs = this.#timeMs;
    bucket.rate = measures.rate;
    this.#filling.put(bucket, fullAtMs(bucket));
    return taken;
  }

  #emptied(key: string): Bucket {
    const bucket = { key, version: 0, missing: 0, sinceMs: 0, rate: 1, expiresAtMs: 0, queueIndex: -1 };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

export type { BucketLimit, Taken };
export { Counters };
