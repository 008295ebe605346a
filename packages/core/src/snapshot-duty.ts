import { limits } from "./limits.js";

/** How much may be applied before the next snapshot is taken. */
export interface SnapshotPolicy {
  readonly everyCommands: number;
  /** Of commands' payload. */
  readonly everyBytes: number;
  /** A snapshot larger than `everyBytes` waits until the log since weighs as much, but no longer than for so many. */
  readonly bytesMax: number;
}

/** Which learner has published a snapshot that holds everything below an instance. */
export interface PublishedSnapshot {
  readonly learner: number;
  readonly instance: number;
  /** How large it is; 0 when nobody says. */
  readonly bytes?: number;
}

/** Each learner that is one place further from its turn waits for so much more, in parts of the policy. */
const waitPerPlace = 0.5;

/**
 * Says when a learner is to take a snapshot. They take turns, so that one pauses at a time and the others answer. It
 * may be the dead learner's turn: who comes after it waits half as long again, the next one twice as long.
 */
export class SnapshotDuty {
  readonly #learners: number;
  readonly #index: number;
  readonly #policy: SnapshotPolicy;
  #newest: PublishedSnapshot | undefined;
  /** Applied since the newest snapshot. */
  #commands = 0;
  #bytes = 0;
  #failures = 0;
  #retryAt = 0;

  constructor(learners: number, index: number, policy: SnapshotPolicy) {
    this.#learners = learners;
    this.#index = index;
    this.#policy = policy;
  }

  /** The newest snapshot that any learner has published. */
  noted(newest: PublishedSnapshot): void {
    if (newest.instance <= (this.#newest?.instance ?? 0)) return;
    this.#newest = newest;
    this.#commands = 0;
    this.#bytes = 0;
    this.#failures = 0;
    this.#retryAt = 0;
  }

  /** Instances up to `end` were applied here. */
  applied(end: number, commands: number, bytes: number): void {
    if (end <= (this.#newest?.instance ?? 0)) return;
    this.#commands += commands;
    this.#bytes += bytes;
  }

  failed(now: number): void {
    const doublings = Math.min(this.#failures, limits.snapshotRetryDoublingsMax);
    this.#retryAt = now + limits.snapshotRetryMs * 2 ** doublings;
    this.#failures += 1;
  }

  postpone(until: number): void {
    this.#retryAt = Math.max(this.#retryAt, until);
  }

  isDue(now: number): boolean {
    return now >= this.#retryAt && this.#isReached;
  }

  /** When a snapshot is due that need not wait for more to be applied, in milliseconds. */
  get deadline(): number {
    return this.#isReached ? this.#retryAt : Number.POSITIVE_INFINITY;
  }

  /** The log has become so long that nothing else justifies to wait. */
  get isPressing(): boolean {
    return this.#bytes >= this.#part * this.#policy.bytesMax;
  }

  get #isReached(): boolean {
    const { everyCommands, everyBytes } = this.#policy;
    const part = this.#part;
    if (this.#commands < part * everyCommands && this.#bytes < part * everyBytes) return false;
    return this.#bytes >= part * this.#worth;
  }

  /** Writing a large state again and again for a little log would keep the learners busy with nothing else. */
  get #worth(): number {
    const { everyBytes, bytesMax } = this.#policy;
    const bytes = this.#newest?.bytes ?? 0;
    return bytes <= everyBytes ? 0 : Math.min(bytes, bytesMax);
  }

  get #part(): number {
    return 1 + waitPerPlace * this.#placesAhead;
  }

  /** Learners whose turn comes before this one's. */
  get #placesAhead(): number {
    const turn = this.#newest === undefined ? 0 : this.#newest.learner + 1;
    return (this.#index - turn + 2 * this.#learners) % this.#learners;
  }
}
