import type { AppliedAt, QueriedAt, StateMachine } from "../state-machine.js";
import { chunksOf } from "./chunks.js";
import { type Expiring, ExpiryQueue } from "./expiry-queue.js";
import { requireMilliseconds, requireText, requireWhole, unknownOperation } from "./fields.js";

/** What can be done with a lock of a name. */
export type LocksCommand =
  /** `owner` tells holders apart: give every holder one of its own. `ttlMs` is in milliseconds of logical time. */
  | { readonly op: "acquire"; readonly name: string; readonly owner: string; readonly ttlMs: number }
  | { readonly op: "renew"; readonly name: string; readonly token: number; readonly ttlMs: number }
  | { readonly op: "release"; readonly name: string; readonly token: number };

/** Whether the caller holds the lock after its command. */
export type LocksResult =
  | {
      readonly held: true;
      /** Higher than every token of this lock before. */
      readonly token: number;
      /** Until it expires, in milliseconds from the time of the command. */
      readonly expiresInMs: number;
    }
  | {
      readonly held: false;
      /** Who holds it, null when nobody does. */
      readonly owner: string | null;
      /** When that one's time is over, in milliseconds from the time of the command; 0 when nobody holds it. */
      readonly expiresInMs: number;
    };

/** What can be asked: who holds a lock, or how many are held. */
export type LocksQuery = { readonly op: "held"; readonly name: string } | { readonly op: "size" };

/** Who holds a lock. */
export interface Holder {
  readonly owner: string;
  readonly token: number;
  /** Until it expires, in milliseconds. */
  readonly expiresInMs: number;
}

/** What a snapshot has of a lock; its time in milliseconds. */
export type LockRow = readonly [name: string, owner: string, token: number, expiresAtMs: number];

/** What a snapshot consists of: first where the log was. */
export type LocksChunk = { readonly timeMs: number } | LockRow[];

interface Lock extends Expiring {
  readonly name: string;
  readonly owner: string;
  /** Its token: the position in the log at which it was acquired. */
  readonly version: number;
}

/**
 * Named locks that expire by logical time. Whoever acquires one gets a fencing token, which is the position of its
 * command in the log, so tokens only grow. The holder hands its token on with everything that it does under the lock,
 * and whoever is asked to do it refuses a token lower than one that it has seen: a holder that was stopped for longer
 * than its time finds out in this way, and not by damage.
 *
 * `acquire` of a lock that its owner holds already renews it, with the token as it was: an owner that had no answer
 * asks again. `renew` and `release` go by the token, and do nothing when it is not that of the present holder.
 *
 * Source: Kleppmann, "How to do distributed locking"; sequencers in Burrows, "The Chubby lock service", section 2.4.
 */
export default class Locks
  implements StateMachine<LocksCommand, LocksResult, LocksQuery, unknown, LocksChunk>
{
  static readonly moduleUrl: string = import.meta.url;
  #locks = new Map<string, Lock>();
  #expiries = new ExpiryQueue<Lock>();
  #timeMs = 0;

  /** @throws TypeError for a command that cannot be meant */
  apply(command: LocksCommand, at: AppliedAt): LocksResult {
    this.#timeMs = at.timeMs;
    this.#expiries.removeDue(at.timeMs, ({ name }) => this.#locks.delete(name));
    requireText(command.name, "name");
    switch (command.op) {
      case "acquire":
        return this.#acquire(command.name, command.owner, command.ttlMs, at.instance);
      case "renew":
        return this.#renew(command.name, command.token, command.ttlMs);
      case "release":
        return this.#release(command.name, command.token);
      default:
        throw unknownOperation("command", command);
    }
  }

  /** @throws TypeError for a query that cannot be meant */
  query(query: LocksQuery, { timeMs }: QueriedAt): Holder | undefined | number {
    switch (query.op) {
      case "held":
        return this.held(query.name, timeMs);
      case "size":
        return this.size(timeMs);
      default:
        throw unknownOperation("query", query);
    }
  }

  /**
   * Who holds a lock, undefined when nobody does.
   *
   * @param timeMs what has expired by then is not held, in milliseconds; left out, the time of the last command
   */
  held(name: string, timeMs: number = this.#timeMs): Holder | undefined {
    const lock = this.#locks.get(name);
    if (lock === undefined || lock.expiresAtMs <= timeMs) return undefined;
    const { owner, version: token, expiresAtMs } = lock;
    return { owner, token, expiresInMs: expiresAtMs - timeMs };
  }

  /** How many locks are held. @param timeMs as for {@link held} */
  size(timeMs: number = this.#timeMs): number {
    return this.#locks.size - this.#expiries.countDue(timeMs);
  }

  *snapshot(): Generator<LocksChunk> {
    yield { timeMs: this.#timeMs };
    yield* chunksOf(this.#rows());
  }

  async restore(chunks: AsyncIterable<LocksChunk>): Promise<void> {
    const locks = new Map<string, Lock>();
    const expiries = new ExpiryQueue<Lock>();
    let timeMs = 0;
    for await (const chunk of chunks) {
      if (!Array.isArray(chunk)) {
        timeMs = chunk.timeMs;
        continue;
      }
      for (const [name, owner, version, expiresAtMs] of chunk) {
        const lock = { name, owner, version, expiresAtMs, queueIndex: -1 };
        locks.set(name, lock);
        expiries.put(lock, expiresAtMs);
      }
    }
    this.#locks = locks;
    this.#expiries = expiries;
    this.#timeMs = timeMs;
  }

  *#rows(): Generator<LockRow> {
    for (const { name, owner, version, expiresAtMs } of this.#locks.values())
      yield [name, owner, version, expiresAtMs];
  }

  #acquire(name: string, owner: string, ttlMs: number, version: number): LocksResult {
    requireText(owner, "owner");
    requireMilliseconds(ttlMs, "ttlMs");
    const held = this.#current(name);
    if (held !== undefined && held.owner !== owner) return this.#refused(held);
    const lock = held ?? { name, owner, version, expiresAtMs: 0, queueIndex: -1 };
    this.#locks.set(name, lock);
    return this.#granted(lock, ttlMs);
  }

  #renew(name: string, token: number, ttlMs: number): LocksResult {
    requireWhole(token, "token");
    requireMilliseconds(ttlMs, "ttlMs");
    const held = this.#current(name);
    return held?.version === token ? this.#granted(held, ttlMs) : this.#refused(held);
  }

  #release(name: string, token: number): LocksResult {
    requireWhole(token, "token");
    const held = this.#current(name);
    if (held?.version !== token) return this.#refused(held);
    this.#remove(held);
    return this.#refused(undefined);
  }

  #granted(lock: Lock, ttlMs: number): LocksResult {
    this.#expiries.put(lock, this.#timeMs + ttlMs);
    return { held: true, token: lock.version, expiresInMs: ttlMs };
  }

  #refused(held: Lock | undefined): LocksResult {
    if (held === undefined) return { held: false, owner: null, expiresInMs: 0 };
    return { held: false, owner: held.owner, expiresInMs: held.expiresAtMs - this.#timeMs };
  }

  /** Who holds a lock at present; what has expired is removed at once, out of turn. */
  #current(name: string): Lock | undefined {
    const lock = this.#locks.get(name);
    if (lock === undefined || lock.expiresAtMs > this.#timeMs) return lock;
    this.#remove(lock);
    return undefined;
  }

  #remove(lock: Lock): void {
    this.#locks.delete(lock.name);
    this.#expiries.remove(lock);
  }
}

export { Locks };
