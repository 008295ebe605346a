import type { AppliedAt, QueriedAt, StateMachine } from "../state-machine.js";
import { chunksOf } from "./chunks.js";
import { type Expiring, ExpiryQueue } from "./expiry-queue.js";
import { refusal, requireMilliseconds, requireText, requireWhole, unknownOperation } from "./fields.js";
import {
  absent,
  type KeyValueChunk,
  type KeyValueCommand,
  type KeyValueEntry,
  type KeyValueQuery,
  type KeyValueRange,
  type KeyValueRow,
} from "./kv-types.js";
import { machineLimits } from "./limits.js";
import { type KeyValueListener, type KeyValueWatched, Watchers } from "./watchers.js";

interface Expiry extends Expiring {
  readonly key: string;
  version: number;
}

interface Stored<Value> {
  value: Value;
  version: number;
  expiry: Expiry | undefined;
}

/**
 * A replicated map from strings to anything that survives the encoding. A key's version is the position in the log of
 * its last change, which only grows.
 *
 * `set` returns the new version, `delete` the position of the command, `expire` the version, and each of them -1 when
 * it had no effect: the key was not there, or had another version than `ifVersion`.
 *
 * Keys expire by logical time: for a command at `at.timeMs` a key whose time is over is not there. What has expired is
 * removed by the commands that follow, a few each.
 *
 * @typeParam Value what is stored; nobody checks that it is
 */
export default class KeyValueStore<Value = unknown>
  implements StateMachine<KeyValueCommand<Value>, number, KeyValueQuery, unknown, KeyValueChunk<Value>>
{
  static readonly moduleUrl: string = import.meta.url;
  #map = new Map<string, Stored<Value>>();
  #expiries = new ExpiryQueue<Expiry>();
  /** Undefined while nobody watches, which costs nothing. */
  #watchers: Watchers<Value> | undefined;
  #instance = absent;
  #timeMs = 0;

  /** @throws TypeError for a command that cannot be meant */
  apply(command: KeyValueCommand<Value>, at: AppliedAt): number {
    this.#instance = at.instance;
    this.#timeMs = at.timeMs;
    if (this.#expiries.size > 0) this.#expiries.removeDue(at.timeMs, this.#onExpired);
    switch (command.op) {
      case "set":
        return this.#set(command.key, command.value, command.ttlMs, command.ifVersion);
      case "delete":
        return this.#delete(command.key, command.ifVersion);
      case "expire":
        return this.#expire(command.key, command.ttlMs);
      default:
        throw unknownOperation("command", command);
    }
  }

  /** @throws TypeError for a query that cannot be meant */
  query(query: KeyValueQuery, { timeMs }: Pick<QueriedAt, "timeMs"> = { timeMs: this.#timeMs }): unknown {
    switch (query.op) {
      case "get":
        return this.get(query.key, timeMs);
      case "has":
        return this.has(query.key, timeMs);
      case "entry":
        return this.entry(query.key, timeMs);
      case "size":
        return this.size(timeMs);
      case "entries":
        return this.entries(query, timeMs);
      default:
        throw unknownOperation("query", query);
    }
  }

  /**
   * The value of a key, undefined when it is not there. This is what is stored, not a copy: do not change it.
   *
   * @param timeMs what has expired by then is not there, in milliseconds; left out, the time of the last command
   */
  get(key: string, timeMs: number = this.#timeMs): Value | undefined {
    return this.#alive(key, timeMs)?.value;
  }

  /** Whether a key is there. @param timeMs as for {@link get} */
  has(key: string, timeMs: number = this.#timeMs): boolean {
    return this.#alive(key, timeMs) !== undefined;
  }

  /** A key with its version, also of a key that is not there. @param timeMs as for {@link get} */
  entry(key: string, timeMs: number = this.#timeMs): KeyValueEntry<Value> {
    const stored = this.#alive(key, timeMs);
    return stored === undefined ? { key, value: undefined, version: absent } : entryOf(key, stored, timeMs);
  }

  /** How many keys there are. @param timeMs as for {@link get} */
  size(timeMs: number = this.#timeMs): number {
    return this.#map.size - this.#expiries.countDue(timeMs);
  }

  /** All keys, in the order in which they were first set. @param timeMs as for {@link get} */
  *keys(timeMs: number = this.#timeMs): Generator<string> {
    for (const [key, stored] of this.#map) if (isAlive(stored, timeMs)) yield key;
  }

  /**
   * Entries in the order of their keys, by UTF-16 code units. It looks at every key that there is.
   *
   * @param timeMs as for {@link get}
   * @throws TypeError for a range that cannot be meant
   */
  entries(range: KeyValueRange = {}, timeMs: number = this.#timeMs): KeyValueEntry<Value>[] {
    const { prefix = "", after, limit = machineLimits.listedEntriesMax } = range;
    requireText(prefix, "prefix");
    if (after !== undefined) requireText(after, "after");
    requireWhole(limit, "limit", 1, machineLimits.listedEntriesMax);
    const keys: string[] = [];
    for (const key of this.keys(timeMs)) {
      if (key.startsWith(prefix) && (after === undefined || key > after)) keys.push(key);
    }
    return keys
      .sort()
      .slice(0, limit)
      .map(key => entryOf(key, this.#map.get(key) as Stored<Value>, timeMs));
  }

  /**
   * Calls the listener after each change of a key, or of all keys with a prefix, of this instance: of use where it is
   * the machine of a replica. Changes come in order, after the commands that came together have been applied; what a
   * restored snapshot changed comes too. A listener that throws hurts nobody else; the error is uncaught in its thread.
   * A key expires for listeners when it is removed, which takes a command.
   *
   * @returns ends it
   */
  watch(watched: KeyValueWatched, listener: KeyValueListener<Value>): () => void {
    requireText(typeof watched === "object" ? watched?.prefix : watched, "what is watched");
    if (typeof listener !== "function") throw refusal(listener, "listener", "a function");
    this.#watchers ??= new Watchers();
    const end = this.#watchers.add(watched, listener);
    return () => {
      end();
      if (this.#watchers?.isEmpty) this.#watchers = undefined;
    };
  }

  *snapshot(): Generator<KeyValueChunk<Value>> {
    yield { instance: this.#instance, timeMs: this.#timeMs };
    yield* chunksOf(this.#rows());
  }

  /** Readers see the former state until the new one is complete. */
  async restore(chunks: AsyncIterable<KeyValueChunk<Value>>): Promise<void> {
    const map = new Map<string, Stored<Value>>();
    const expiries = new ExpiryQueue<Expiry>();
    let reached = { instance: absent, timeMs: 0 };
    for await (const chunk of chunks) {
      if (!Array.isArray(chunk)) {
        reached = chunk;
        continue;
      }
      for (const [key, value, version, expiresAtMs] of chunk) {
        const stored: Stored<Value> = { value, version, expiry: undefined };
        map.set(key, stored);
        if (expiresAtMs === undefined) continue;
        stored.expiry = { key, version, expiresAtMs, queueIndex: -1 };
        expiries.put(stored.expiry, expiresAtMs);
      }
    }
    const before = this.#map;
    this.#map = map;
    this.#expiries = expiries;
    this.#instance = reached.instance;
    this.#timeMs = reached.timeMs;
    this.#watchers?.noteRestored(before, map, this.#instance);
  }

  *#rows(): Generator<KeyValueRow<Value>> {
    for (const [key, { value, version, expiry }] of this.#map)
      yield expiry === undefined ? [key, value, version] : [key, value, version, expiry.expiresAtMs];
  }

  #set(key: string, value: Value, ttlMs: number | undefined, ifVersion: number | undefined): number {
    requireText(key, "key");
    if (ttlMs !== undefined) requireMilliseconds(ttlMs, "ttlMs");
    let stored = this.#map.get(key);
    if (stored?.expiry !== undefined || ifVersion !== undefined) {
      stored = this.#current(key);
      if (!hasVersion(stored, ifVersion)) return absent;
    }
    const version = this.#instance;
    if (stored === undefined) {
      stored = { value, version, expiry: undefined };
      this.#map.set(key, stored);
    } else {
      stored.value = value;
      stored.version = version;
    }
    if (ttlMs !== undefined || stored.expiry !== undefined) this.#schedule(key, stored, ttlMs);
    if (this.#watchers !== undefined) this.#watchers.note({ kind: "set", key, value, version });
    return version;
  }

  #delete(key: string, ifVersion: number | undefined): number {
    requireText(key, "key");
    const stored = this.#current(key);
    if (stored === undefined || !hasVersion(stored, ifVersion)) return absent;
    this.#remove(key, stored, "delete");
    return this.#instance;
  }

  #expire(key: string, ttlMs: number | null): number {
    requireText(key, "key");
    if (ttlMs !== null) requireMilliseconds(ttlMs, "ttlMs");
    const stored = this.#current(key);
    if (stored === undefined) return absent;
    this.#schedule(key, stored, ttlMs ?? undefined);
    return stored.version;
  }

  /** What is stored under a key at present; what has expired is removed at once, out of turn. */
  #current(key: string): Stored<Value> | undefined {
    const stored = this.#map.get(key);
    if (stored === undefined || isAlive(stored, this.#timeMs)) return stored;
    this.#remove(key, stored, "expire");
    return undefined;
  }

  #alive(key: string, timeMs: number): Stored<Value> | undefined {
    const stored = this.#map.get(key);
    return stored !== undefined && isAlive(stored, timeMs) ? stored : undefined;
  }

  #schedule(key: string, stored: Stored<Value>, ttlMs: number | undefined): void {
    if (ttlMs === undefined) {
      if (stored.expiry !== undefined) this.#expiries.remove(stored.expiry);
      stored.expiry = undefined;
      return;
    }
    const { version } = stored;
    stored.expiry ??= { key, version, expiresAtMs: 0, queueIndex: -1 };
    stored.expiry.version = version;
    this.#expiries.put(stored.expiry, this.#timeMs + ttlMs);
  }

  readonly #onExpired = ({ key }: Expiry): void =>
    this.#remove(key, this.#map.get(key) as Stored<Value>, "expire");

  #remove(key: string, stored: Stored<Value>, kind: "delete" | "expire"): void {
    this.#map.delete(key);
    if (stored.expiry !== undefined) this.#expiries.remove(stored.expiry);
    this.#watchers?.note({ kind, key, value: undefined, version: this.#instance });
  }
}

export {
  absent,
  type KeyValueChunk,
  type KeyValueCommand,
  type KeyValueEntry,
  type KeyValueQuery,
  type KeyValueRange,
  type KeyValueRow,
} from "./kv-types.js";
export type { KeyValueChange, KeyValueListener, KeyValueWatched } from "./watchers.js";
export { KeyValueStore };

function isAlive({ expiry }: Stored<unknown>, timeMs: number): boolean {
  return expiry === undefined || expiry.expiresAtMs > timeMs;
}

/** @throws TypeError for an `ifVersion` that is no position of the log */
function hasVersion(stored: Stored<unknown> | undefined, ifVersion: number | undefined): boolean {
  if (ifVersion === undefined) return true;
  requireWhole(ifVersion, "ifVersion", absent);
  return ifVersion === (stored === undefined ? absent : stored.version);
}

function entryOf<Value>(
  key: string,
  { value, version, expiry }: Stored<Value>,
  timeMs: number,
): KeyValueEntry<Value> {
  if (expiry === undefined) return { key, value, version };
  return { key, value, version, expiresInMs: expiry.expiresAtMs - timeMs };
}
