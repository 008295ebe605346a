/**
 * A doorbell wakes one sleeper, whoever sends. Its sleeper says that it sleeps, looks once more for frames, and
 * waits; a sender publishes, looks whether the receiver sleeps, and rings. Both orders are sequentially
 * consistent, so that one of the two always sees the other.
 *
 * Only the sleeper clears its own sleep flag. A waker that cleared it could do so late, after the sleeper had
 * woken and gone to sleep again, and every later sender would believe it awake.
 */

/** The shared words of a doorbell: structured-cloneable, made by the supervisor, outlives its sleeper's thread. */
export interface Doorbell {
  readonly memory: SharedArrayBuffer;
}

/** Counts rings in steps of two, so that it is even; the sleeper waits for it to move. */
const RINGS = 0;
/** `AWAKE`, or the value of `RINGS` that the sleeper went to sleep on, plus one: odd, so never `AWAKE`. */
const ASLEEP = 1;
/** Counts rings without a frame. */
const CALLS = 2;
/** Counts wake-ups that were lost, over all lives of the sleeper. */
const LOST = 3;
/** What the sleeper need not be woken for. Stored before `ASLEEP`. */
const UNHURRIED = 4;
/** Counts flushes of control lanes. On a cache line of its own: the receiver reads it before every bulk frame. */
const CONTROL_FLUSHES = 16;
const DOORBELL_BYTES = 128;
const AWAKE = 0;

export function createDoorbell(): Doorbell {
  return { memory: new SharedArrayBuffer(DOORBELL_BYTES) };
}

/**
 * Makes the receiver's current park, or else its next one, return without a frame, so that it gives its event
 * loop a turn. Post the control-plane message first.
 */
export function ringDoorbell(doorbell: Doorbell): void {
  const words = new Int32Array(doorbell.memory);
  Atomics.add(words, CALLS, 1);
  ring(words);
}

/** Wake-ups that the receivers behind a doorbell have lost so far, whichever thread they lived on. */
export function lostWakeUpsOf(doorbell: Doorbell): number {
  return Atomics.load(new Int32Array(doorbell.memory), LOST);
}

function ring(words: Int32Array): void {
  Atomics.add(words, RINGS, 2);
  Atomics.notify(words, RINGS);
}

/** A sender's hand on the doorbell. */
export class Ringer {
  readonly #words: Int32Array;

  constructor(doorbell: Doorbell) {
    this.#words = new Int32Array(doorbell.memory);
  }

  /**
   * Call after publishing. One ring ends one sleep: of many senders that see the same sleep only the first one
   * pays for the notification; the others published before the sleeper looks, and it looks at every lane.
   *
   * `kinds` are bits. A sleeper that is unhurried about all of them is left alone, and false is returned. The two words
   * may be of two sleeps: the later one began with a look at what was published before.
   */
  ringIfAsleep(kinds: number): boolean {
    const asleep = Atomics.load(this.#words, ASLEEP);
    if (asleep === AWAKE) return true;
    if ((kinds & ~Atomics.load(this.#words, UNHURRIED)) === 0) return false;
    const sleptOn = asleep - 1;
    if (Atomics.compareExchange(this.#words, RINGS, sleptOn, (sleptOn + 2) | 0) !== sleptOn) return true;
    Atomics.notify(this.#words, RINGS);
    return true;
  }

  /** Call after publishing a control lane, so that a busy receiver looks there before its next bulk frame. */
  announceControl(): void {
    Atomics.add(this.#words, CONTROL_FLUSHES, 1);
  }
}

/** How a sleep ended: it did not begin since there was something, somebody rang, or time ran out. */
export type Awakening = "at-once" | "rung" | "timed-out";

/** The sleeping side that both ways of waiting share. */
class Sleeper {
  protected readonly words: Int32Array;
  protected sleptOn = 0;
  /** A new sleeper answers the calls that its predecessor may have left: it starts from none seen. */
  #callsSeen = 0;

  constructor(doorbell: Doorbell) {
    this.words = new Int32Array(doorbell.memory);
    this.clearFlag(); // A predecessor that was killed in its sleep left it up.
  }

  controlFlushes(): number {
    return Atomics.load(this.words, CONTROL_FLUSHES);
  }

  /** True if nobody has rung since the flag went up. Sound only while the flag is up. */
  isUnrung(): boolean {
    return Atomics.load(this.words, RINGS) === this.sleptOn;
  }

  countLostWakeUp(): void {
    Atomics.add(this.words, LOST, 1);
  }

  protected raiseFlag(unhurried = 0): void {
    Atomics.store(this.words, UNHURRIED, unhurried);
    this.sleptOn = Atomics.load(this.words, RINGS);
    Atomics.store(this.words, ASLEEP, this.sleptOn + 1);
  }

  protected clearFlag(): void {
    Atomics.store(this.words, ASLEEP, AWAKE);
  }

  /** How many calls came since this was last asked. Read after `raiseFlag`, a later call moves `RINGS`. */
  takeCalls(): number {
    const calls = Atomics.load(this.words, CALLS);
    const news = (calls - this.#callsSeen) | 0;
    this.#callsSeen = calls;
    return news;
  }

  protected hasCalls(): boolean {
    return Atomics.load(this.words, CALLS) !== this.#callsSeen;
  }
}

/** Blocks its thread. */
export class ThreadSleeper extends Sleeper {
  /**
   * Sleeps unless `hasFrames`, which it asks after raising the flag. `beforeWaking` runs with the flag still up
   * when time ran out, which is the only moment at which a lost wake-up can be told from a late one.
   */
  sleep(timeoutMs: number, unhurried: number, hasFrames: () => boolean, beforeWaking: () => void): Awakening {
    this.raiseFlag(unhurried);
    let awakening: Awakening = "at-once";
    if (!hasFrames() && !this.hasCalls()) {
      const result = Atomics.wait(this.words, RINGS, this.sleptOn, timeoutMs);
      if (result === "ok") awakening = "rung";
      if (result === "timed-out") {
        awakening = "timed-out";
        beforeWaking();
      }
    }
    this.clearFlag();
    return awakening;
  }
}

/** Waits without blocking: one pending `Atomics.waitAsync` at most, armed again only once it has settled. */
export class EventLoopSleeper extends Sleeper {
  readonly #onReturn: (awakening: Awakening) => void;
  #armed = false;
  #closed = false;
  #parked: { readonly promise: Promise<void>; readonly settle: () => void } | undefined;

  /** `onReturn` is called whenever a sleep ends, before its promise settles. */
  constructor(doorbell: Doorbell, onReturn: (awakening: Awakening) => void) {
    super(doorbell);
    this.#onReturn = onReturn;
  }

  /** True while the flag is up and a ring will come, or has come and is on its way through the event loop. */
  get isArmed(): boolean {
    return this.#armed;
  }

  /** Settles on a ring, on `wake` and on `close`; at once if there is something. */
  sleep(hasFrames: () => boolean): Promise<void> {
    if (this.#parked !== undefined) return this.#parked.promise;
    if (this.#closed) return Promise.resolve();
    if (!this.#armed) this.raiseFlag();
    if (hasFrames() || this.hasCalls() || !this.#arm()) {
      if (!this.#armed) this.clearFlag();
      this.#onReturn("at-once");
      return Promise.resolve();
    }
    let settle = (): void => {};
    const promise = new Promise<void>(resolve => {
      settle = resolve;
    });
    this.#parked = { promise, settle };
    return promise;
  }

  /** Ends the current sleep from within this thread. */
  wake(awakening: Awakening): void {
    const parked = this.#parked;
    if (parked === undefined) return;
    this.#parked = undefined;
    this.#onReturn(awakening);
    parked.settle();
  }

  /** Notifies itself of a ring whose sender may have been killed before it could, which nobody else repairs. */
  completeRing(): void {
    Atomics.notify(this.words, RINGS);
  }

  /** Rings its own bell. */
  ringSelf(): void {
    ring(this.words);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.clearFlag();
    this.ringSelf(); // Releases the pending waitAsync.
    this.wake("at-once");
  }

  #arm(): boolean {
    if (this.#armed) return true;
    const wait = Atomics.waitAsync(this.words, RINGS, this.sleptOn);
    if (!wait.async) return false;
    this.#armed = true;
    wait.value.then(() => {
      this.#armed = false;
      if (this.#closed) return; // The flag may be the successor's by now.
      this.clearFlag();
      this.wake("rung");
    });
    return true;
  }
}
