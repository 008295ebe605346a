import { assert, type Results } from "@synod/core";
import { AbortListeners } from "./abort-listeners.js";
import type { BulkCall } from "./bulk-call.js";
import { CommandBytes } from "./bulk-commands.js";
import { commandCodec } from "./command-codec.js";
import type { Outcome, SynodError } from "./errors.js";

/** Commands of one call that have numbers, one behind the other. */
interface Span {
  readonly call: BulkCall;
  /** Position of the first in the call. */
  readonly index: number;
  readonly count: number;
  firstSequence: number;
  /** How many are not settled. */
  unsettled: number;
}

/** Commands of one or more calls that go out together. */
export interface BulkPiece {
  readonly bytes: Uint8Array;
  readonly deadlines: { readonly length: number; readonly all: number };
  readonly spans: readonly Span[];
}

/** A call that is not sent to its end, and how many single commands the client was given before it. */
interface Waiting {
  readonly call: BulkCall;
  readonly ordinal: number;
}

/** The calls of a client with many commands each: those that wait to be sent, and those that wait for results. */
export class BulkCalls {
  #waiting: Waiting[] = [];
  #queued = 0;
  #queuedBytes = 0;
  #open = 0;
  /** In the order of their numbers. Those at the beginning that are settled are gone. */
  #spans: Span[] = [];
  readonly #listeners = new AbortListeners<BulkCall>();

  /** Commands that wait to be sent. */
  get queued(): number {
    return this.#queued;
  }

  /** Upper bound of what they take, in bytes. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Calls whose promises are open. */
  get open(): number {
    return this.#open;
  }

  /** How many single commands go before the next call; infinite when none waits. */
  get nextOrdinal(): number {
    return this.#waiting[0]?.ordinal ?? Number.POSITIVE_INFINITY;
  }

  get earliestQueuedDeadline(): number {
    return this.#waiting.reduce(
      (earliest, { call }) => Math.min(earliest, call.deadline),
      Number.POSITIVE_INFINITY,
    );
  }

  /** `ordinal` single commands go before it. */
  add(call: BulkCall, ordinal: number, onAbort: (call: BulkCall) => void): void {
    this.#waiting.push({ call, ordinal });
    this.#queued += call.commands.count;
    this.#queuedBytes += call.commands.bytesAtMost(0, call.commands.count);
    this.#open += 1;
    if (call.signal !== undefined) this.#listeners.add(call.signal, call, onAbort);
  }

  /**
   * The next commands, at most so many and, but for the first, at most so many bytes. Lists of commands share a piece
   * if nothing was proposed between them; bytes go as they came.
   */
  take(commandsMax: number, bytesMax: number): BulkPiece {
    const { call: first, ordinal } = this.#waiting[0]!;
    const spans: Span[] = [];
    let commands: unknown[] = [];
    let length = 0;
    let bytes = 0;
    for (const { call, ordinal: before } of this.#waiting) {
      const { commands: source, next, deadline } = call;
      const mayShare = before === ordinal && deadline === first.deadline && !(source instanceof CommandBytes);
      if (call !== first && !mayShare) break;
      const count = fitting(call, commandsMax - length, bytesMax - bytes, length === 0);
      if (count === 0) break;
      spans.push({ call, index: next, count, firstSequence: 0, unsettled: count });
      length += count;
      bytes += source.bytesAtMost(next, next + count);
      if (source instanceof CommandBytes) break;
      if (commands.length === 0) commands = source.slice(next, next + count);
      else source.appendTo(commands, next, next + count);
    }
    const encoded =
      first.commands instanceof CommandBytes
        ? first.commands.encode(first.next, first.next + length)
        : commandCodec.encode(commands);
    this.#taken(spans, length, bytes);
    return { bytes: encoded, deadlines: { length, all: first.deadline }, spans };
  }

  /** The piece's commands have numbers now, from `firstSequence` on. */
  submitted(piece: BulkPiece, firstSequence: number): void {
    let sequence = firstSequence;
    for (const span of piece.spans) {
      span.firstSequence = sequence;
      sequence += span.count;
      this.#spans.push(span);
    }
  }

  /** Settles what belongs to these calls; false when the first number does not. */
  settle(firstSequence: number, results: Results): boolean {
    if (this.#spans.length === 0) return false;
    let position = this.#spanOf(firstSequence);
    if (position < 0) return false;
    for (let at = 0; at < results.length; position++) {
      const span = this.#spans[position];
      const within = firstSequence + at - (span?.firstSequence ?? Number.NaN);
      assert(
        span !== undefined && within >= 0 && within < span.count,
        "what is answered at once was sent at once",
      );
      const count = Math.min(results.length - at, span.count - within);
      const part = count === results.length ? results : results.slice(at, at + count);
      span.call.settle(span.index + within, part);
      this.#settled(span, count);
      at += count;
    }
    this.#dropSettled();
    return true;
  }

  /** A number's command has failed; false when the number belongs to no call here. */
  reject(sequence: number, error: SynodError): boolean {
    const span = this.#spans[this.#spanOf(sequence)];
    if (span === undefined) return false;
    span.call.fail(span.index + sequence - span.firstSequence, 1, error);
    this.#settled(span, 1);
    this.#dropSettled();
    return true;
  }

  /** Ends the wait of what is not sent: it never will be. */
  cancelRest(call: BulkCall, error: SynodError): void {
    const { commands, next } = call;
    if (next === commands.count) return;
    this.#queued -= commands.count - next;
    this.#queuedBytes -= commands.bytesAtMost(next, commands.count);
    this.#waiting = this.#waiting.filter(waiting => waiting.call !== call);
    call.cancelRest(error);
    this.#ended(call);
  }

  expireQueued(now: number, error: () => SynodError): void {
    for (const { call } of this.#waiting) if (call.deadline <= now) this.cancelRest(call, error());
  }

  /** Ends the wait of one call, or of all. `abandon` says of a number whether somebody still waited for it. */
  abandon(
    which: BulkCall | "all",
    error: (outcome: Outcome) => SynodError,
    abandon: (sequence: number) => boolean,
  ): void {
    const isMeant = (call: BulkCall) => which === "all" || call === which;
    const notApplied = error("not-applied");
    for (const { call } of this.#waiting) if (isMeant(call)) this.cancelRest(call, notApplied);
    const unknown = error("unknown");
    for (const { call, firstSequence, count } of [...this.#spans]) {
      if (!isMeant(call)) continue;
      for (let sequence = firstSequence; sequence < firstSequence + count; sequence++) {
        if (abandon(sequence)) this.reject(sequence, unknown);
      }
    }
  }

  #taken(spans: readonly Span[], length: number, bytes: number): void {
    for (const { call, count } of spans) call.next += count;
    this.#queued -= length;
    this.#queuedBytes -= bytes;
    let done = 0;
    while (
      done < this.#waiting.length &&
      this.#waiting[done]!.call.next === this.#waiting[done]!.call.commands.count
    ) {
      done += 1;
    }
    if (done > 0) this.#waiting.splice(0, done);
  }

  #settled(span: Span, count: number): void {
    span.unsettled -= count;
    this.#ended(span.call);
  }

  #ended(call: BulkCall): void {
    if (!call.isSettled) return;
    this.#open -= 1;
    if (call.signal !== undefined) this.#listeners.remove(call.signal, call);
  }

  #dropSettled(): void {
    let done = 0;
    while (done < this.#spans.length && this.#spans[done]!.unsettled === 0) done += 1;
    if (done > 0) this.#spans.splice(0, done);
  }

  /** Position of the span that a number lies in; -1 when it lies in none. */
  #spanOf(sequence: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { firstSequence, count } = this.#spans[middle]!;
      if (sequence < firstSequence) high = middle;
      else if (sequence >= firstSequence + count) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}

/** How many of a call's next commands fit; one does in any case, if it `isFirst`. */
function fitting(
  { commands, next }: BulkCall,
  commandsMax: number,
  bytesMax: number,
  isFirst: boolean,
): number {
  const most = Math.min(commandsMax, commands.count - next);
  if (commands.bytesAtMost(next, next + most) <= bytesMax) return most;
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (commands.bytesAtMost(next, next + middle) <= bytesMax) low = middle;
    else high = middle - 1;
  }
  return low === 0 && isFirst ? 1 : low;
}
