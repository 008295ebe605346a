import { ApplyFailure, type Deadlines, type Results } from "@synod/core";
import { AbortListeners } from "./abort-listeners.js";
import { type Outcome, SynodError } from "./errors.js";
import { runtimeLimits } from "./limits.js";

type Resolve = (value: unknown) => void;
type Reject = (error: unknown) => void;

/** A command with an AbortSignal. */
export interface Waiter {
  /** Undefined while the command waits to be submitted. */
  sequence: number | undefined;
  /** Which of all commands of the client it is, in the order of the calls. */
  readonly ordinal: number;
  readonly signal: AbortSignal;
}

/** Commands that go out together, with what belongs to their promises. */
export interface Piece {
  readonly commands: unknown[];
  readonly deadlines: Deadlines;
  readonly resolves: Resolve[];
  readonly rejects: Reject[];
  readonly waiters: (Waiter | undefined)[];
}

/** Taken commands are kept in the queue until there are so many, or until it is empty. */
const takenMax = 16_384;

/** Stands where a command was that was cancelled before it was submitted. */
const cancelled = Symbol("cancelled");

/*
 * One executor for all promises: a closure for each would be garbage at the rate of commits.
 */
let lastResolve: Resolve;
let lastReject: Reject;
const executor = (resolve: Resolve, reject: Reject) => {
  lastResolve = resolve;
  lastReject = reject;
};

/**
 * The promises of a client: first those of commands that wait to be submitted, then, in rings indexed by sequence
 * number, those of commands that wait for their results.
 */
export class ProposalBuffer {
  #commands: unknown[] = [];
  #sizes: number[] = [];
  #queuedBytes = 0;
  #deadlines: number[] = [];
  #resolves: Resolve[] = [];
  #rejects: Reject[] = [];
  #waiters: (Waiter | undefined)[] = [];
  /** Commands before this position have been taken. */
  #head = 0;
  /** Commands that have been removed from the front: the ordinal of the one at position 0. */
  #removed = 0;
  readonly #ringResolves = new Array<Resolve | undefined>(runtimeLimits.clientWindowCommands).fill(undefined);
  readonly #ringRejects = new Array<Reject | undefined>(runtimeLimits.clientWindowCommands).fill(undefined);
  readonly #ringWaiters = new Map<number, Waiter>();
  readonly #listeners = new AbortListeners<Waiter>();
  #newestWaiter: Waiter | undefined;
  #waiting = 0;
  #submitted = 0;
  #highestSequence = 0;

  /** Commands that wait to be submitted, cancelled ones included until they are passed over. */
  get queued(): number {
    return this.#commands.length - this.#head;
  }

  /** Their upper bounds in bytes, together; without cancelled ones. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Of all commands so far, how many have been taken or cancelled: the ordinal of the next one. */
  get nextOrdinal(): number {
    return this.#removed + this.#head;
  }

  /** How many commands there have been so far. */
  get added(): number {
    return this.#removed + this.#commands.length;
  }

  /** Promises that are open. */
  get open(): number {
    return this.#waiting + this.#submitted;
  }

  get earliestQueuedDeadline(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let at = this.#head; at < this.#commands.length; at++) {
      if (this.#commands[at] !== cancelled) earliest = Math.min(earliest, this.#deadlines[at] as number);
    }
    return earliest;
  }

  add(
    command: unknown,
    bytesAtMost: number,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const promise = new Promise(executor);
    this.#commands.push(command);
    this.#sizes.push(bytesAtMost);
    this.#queuedBytes += bytesAtMost;
    this.#deadlines.push(deadline);
    this.#resolves.push(lastResolve);
    this.#rejects.push(lastReject);
    this.#newestWaiter =
      signal === undefined
        ? undefined
        : { sequence: undefined, ordinal: this.#removed + this.#waiters.length, signal };
    this.#waiters.push(this.#newestWaiter);
    this.#waiting += 1;
    return promise;
  }

  /** For the command that was added last. */
  listen(signal: AbortSignal, onAbort: (waiter: Waiter) => void): void {
    if (this.#newestWaiter !== undefined) this.#listeners.add(signal, this.#newestWaiter, onAbort);
  }

  /** The next commands below an ordinal, at most so many and, but for the first, at most so many bytes. */
  take(commandsMax: number, bytesMax: number, belowOrdinal = Number.POSITIVE_INFINITY): Piece | undefined {
    const deadlines: number[] = [];
    const { commands, resolves, rejects, waiters }: Omit<Piece, "deadlines"> = {
      commands: [],
      resolves: [],
      rejects: [],
      waiters: [],
    };
    let areAlike = true;
    let bytes = 0;
    let at = this.#head;
    const end = Math.min(this.#commands.length, belowOrdinal - this.#removed);
    for (; at < end && commands.length < commandsMax; at++) {
      if (this.#commands[at] === cancelled) continue;
      bytes += this.#sizes[at] as number;
      // The sizes are upper bounds, several times too high for ordinary commands.
      if (commands.length > 0 && bytes > bytesMax) break;
      this.#queuedBytes -= this.#sizes[at] as number;
      commands.push(this.#commands[at]);
      deadlines.push(this.#deadlines[at] as number);
      areAlike &&= deadlines.at(-1) === deadlines[0];
      resolves.push(this.#resolves[at] as Resolve);
      rejects.push(this.#rejects[at] as Reject);
      waiters.push(this.#waiters[at]);
    }
    this.#head = at;
    if (this.#head === this.#commands.length) this.#reset();
    else if (this.#head >= takenMax) this.#dropTaken();
    const length = deadlines.length;
    if (length === 0) return undefined;
    // Most are: what was proposed in one turn, with the same time-out.
    const due = areAlike ? { length, all: deadlines[0] as number } : deadlines;
    return { commands, deadlines: due, resolves, rejects, waiters };
  }

  /** The piece's commands have numbers now, from `firstSequence` on. */
  submitted(piece: Piece, firstSequence: number): void {
    const size = this.#ringResolves.length;
    for (let index = 0; index < piece.commands.length; index++) {
      const sequence = firstSequence + index;
      this.#ringResolves[sequence % size] = piece.resolves[index];
      this.#ringRejects[sequence % size] = piece.rejects[index];
      const waiter = piece.waiters[index];
      if (waiter === undefined) continue;
      waiter.sequence = sequence;
      this.#ringWaiters.set(sequence, waiter);
    }
    this.#highestSequence = firstSequence + piece.commands.length - 1;
    this.#waiting -= piece.commands.length;
    this.#submitted += piece.commands.length;
  }

  settle(firstSequence: number, results: Results): void {
    const size = this.#ringResolves.length;
    for (let index = 0; index < results.length; index++) {
      const position = (firstSequence + index) % size;
      const resolve = this.#ringResolves[position];
      if (resolve === undefined) continue;
      const result = results[index];
      if (typeof result === "object" && result instanceof ApplyFailure) {
        this.#ringRejects[position]?.(
          new SynodError("STATE_MACHINE_FAILED", `the state machine threw: ${result.reason}`),
        );
      } else resolve(result);
      this.#release(firstSequence + index, position);
    }
  }

  reject(sequence: number, error: SynodError): void {
    const position = sequence % this.#ringResolves.length;
    const reject = this.#ringRejects[position];
    if (reject === undefined) return;
    reject(error);
    this.#release(sequence, position);
  }

  /** Ends the wait of a command that was not submitted: it never will be. */
  cancel(waiter: Waiter, error: SynodError): void {
    const at = waiter.ordinal - this.#removed;
    if (at >= this.#head && this.#waiters[at] === waiter) this.#cancelAt(at, error);
  }

  expireQueued(now: number, error: () => SynodError): void {
    for (let at = this.#head; at < this.#commands.length; at++) {
      if (this.#commands[at] !== cancelled && (this.#deadlines[at] as number) <= now)
        this.#cancelAt(at, error());
    }
  }

  rejectAll(error: (outcome: Outcome) => SynodError): void {
    for (let at = this.#head; at < this.#commands.length; at++) {
      if (this.#commands[at] !== cancelled) this.#cancelAt(at, error("not-applied"));
    }
    this.#reset();
    const size = this.#ringResolves.length;
    for (
      let sequence = Math.max(0, this.#highestSequence - size + 1);
      sequence <= this.#highestSequence;
      sequence++
    ) {
      this.reject(sequence, error("unknown"));
    }
  }

  #cancelAt(at: number, error: SynodError): void {
    this.#commands[at] = cancelled;
    this.#queuedBytes -= this.#sizes[at] as number;
    this.#waiting -= 1;
    this.#forget(this.#waiters[at]);
    (this.#rejects[at] as Reject)(error);
    if (this.#waiting === 0) this.#reset();
  }

  #release(sequence: number, position: number): void {
    this.#ringResolves[position] = undefined;
    this.#ringRejects[position] = undefined;
    this.#submitted -= 1;
    if (this.#ringWaiters.size === 0) return;
    this.#forget(this.#ringWaiters.get(sequence));
    this.#ringWaiters.delete(sequence);
  }

  #forget(waiter: Waiter | undefined): void {
    if (waiter !== undefined) this.#listeners.remove(waiter.signal, waiter);
  }

  /** A queue that is never empty must not keep what was taken from it. */
  #dropTaken(): void {
    this.#removed += this.#head;
    this.#commands = this.#commands.slice(this.#head);
    this.#sizes = this.#sizes.slice(this.#head);
    this.#deadlines = this.#deadlines.slice(this.#head);
    this.#resolves = this.#resolves.slice(this.#head);
    this.#rejects = this.#rejects.slice(this.#head);
    this.#waiters = this.#waiters.slice(this.#head);
    this.#head = 0;
  }

  #reset(): void {
    this.#removed += this.#commands.length;
    this.#commands = [];
    this.#sizes = [];
    this.#deadlines = [];
    this.#resolves = [];
    this.#rejects = [];
    this.#waiters = [];
    this.#head = 0;
  }
}
