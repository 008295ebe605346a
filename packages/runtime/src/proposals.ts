import type { Deadlines, Expired, LateReason, Results } from "@synod/core";
import { BulkCall } from "./bulk-call.js";
import { BulkCalls, type BulkPiece } from "./bulk-calls.js";
import type { BulkCommands } from "./bulk-commands.js";
import { commandCodec } from "./command-codec.js";
import { type Outcome, SynodError } from "./errors.js";
import { runtimeLimits } from "./limits.js";
import { ProposalBuffer, type Piece as SinglePiece, type Waiter } from "./proposal-buffer.js";

/** Commands that go out together: single ones, or those of calls with many. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly deadlines: Deadlines;
  readonly from: SinglePiece | BulkPiece;
}

/** Everything that a client was given to propose, in the order of the calls, until it is answered. */
export class Proposals {
  readonly #single = new ProposalBuffer();
  readonly #bulk = new BulkCalls();

  /** Commands that wait to be submitted. */
  get queued(): number {
    return this.#single.queued + this.#bulk.queued;
  }

  /** Upper bound of what they take, in bytes. */
  get queuedBytes(): number {
    return this.#single.queuedBytes + this.#bulk.queuedBytes;
  }

  /** How many single commands there have been so far. */
  get addedSingle(): number {
    return this.#single.added;
  }

  /** Of these, how many have been taken or cancelled. */
  get takenSingle(): number {
    return this.#single.nextOrdinal;
  }

  /** Promises that are open. */
  get open(): number {
    return this.#single.open + this.#bulk.open;
  }

  get earliestQueuedDeadline(): number {
    return Math.min(this.#single.earliestQueuedDeadline, this.#bulk.earliestQueuedDeadline);
  }

  /** @throws SynodError `OVERLOADED`, on behalf of the client, while too much waits */
  checkRoom(client: string): void {
    if (this.queued >= runtimeLimits.clientQueueCommands) {
      const message = `${this.queued} commands of ${client} wait already: wait for some of them first`;
      throw new SynodError("OVERLOADED", message, { outcome: "not-applied" });
    }
    const bytes = this.queuedBytes;
    if (bytes >= runtimeLimits.clientQueueBytes) {
      const message = `commands of ${client} that may take ${bytes} bytes wait already: wait for some of them first`;
      throw new SynodError("OVERLOADED", message, { outcome: "not-applied" });
    }
  }

  /** A single command. */
  add(
    command: unknown,
    bytesAtMost: number,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    return this.#single.add(command, bytesAtMost, deadline, signal);
  }

  /** For the single command that was added last. */
  listen(signal: AbortSignal, onAbort: (waiter: Waiter) => void): void {
    this.#single.listen(signal, onAbort);
  }

  /** Many commands with one promise. */
  addAll(
    commands: BulkCommands,
    deadline: number,
    signal: AbortSignal | undefined,
    onAbort: (call: BulkCall) => void,
  ): BulkCall {
    const call = new BulkCall(commands, deadline, signal);
    this.#bulk.add(call, this.#single.added, onAbort);
    return call;
  }

  /** The next commands, at most so many and, but for the first, at most so many bytes. */
  take(commandsMax: number, bytesMax: number): Piece | undefined {
    const ordinal = this.#bulk.nextOrdinal;
    if (this.#single.nextOrdinal >= ordinal) {
      const from = this.#bulk.take(commandsMax, bytesMax);
      return { bytes: from.bytes, deadlines: from.deadlines, from };
    }
    const from = this.#single.take(commandsMax, bytesMax, ordinal);
    return from && { bytes: commandCodec.encode(from.commands), deadlines: from.deadlines, from };
  }

  /** The piece's commands have numbers now, from `firstSequence` on. */
  submitted({ from }: Piece, firstSequence: number): void {
    if ("spans" in from) this.#bulk.submitted(from, firstSequence);
    else this.#single.submitted(from, firstSequence);
  }

  settle(firstSequence: number, results: Results): void {
    if (!this.#bulk.settle(firstSequence, results)) this.#single.settle(firstSequence, results);
  }

  /** A single command has failed. */
  reject(sequence: number, error: SynodError): void {
    this.#single.reject(sequence, error);
  }

  /** Numbers whose deadlines have passed. Each single command gets an error of its own, all of a call share one. */
  rejectLate(expired: readonly Expired[], error: (reason: LateReason) => SynodError): void {
    let shared: SynodError | undefined;
    for (const { sequence, reason } of expired) {
      // One look at the clock has found all of them: the reason is the same.
      shared ??= error(reason);
      if (!this.#bulk.reject(sequence, shared)) this.#single.reject(sequence, error(reason));
    }
  }

  /** Ends the wait of a single command that was not submitted: it never will be. */
  cancel(waiter: Waiter, error: SynodError): void {
    this.#single.cancel(waiter, error);
  }

  /** Ends the wait of a call. `abandon` says of a number whether somebody still waited for it. */
  abandon(
    call: BulkCall,
    error: (outcome: Outcome) => SynodError,
    abandon: (sequence: number) => boolean,
  ): void {
    this.#bulk.abandon(call, error, abandon);
  }

  expireQueued(now: number, error: () => SynodError): void {
    this.#single.expireQueued(now, error);
    this.#bulk.expireQueued(now, error);
  }

  /** Ends the wait of everything, as {@link abandon} does. */
  rejectAll(error: (outcome: Outcome) => SynodError, abandon: (sequence: number) => boolean): void {
    this.#single.rejectAll(error);
    this.#bulk.abandon("all", error, abandon);
  }
}
