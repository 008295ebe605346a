import { assert } from "../assert.js";
import type { Operation } from "./operation.js";
import { type Pending, pending } from "./sequential-model.js";

/** An operation of a history that is being checked. */
export interface Entry<Input, Output> {
  readonly operation: Operation<Input, Output>;
  readonly output: Output | Pending;
  /** Its place, in order of invocation, among those that returned, or among those that never did. */
  readonly index: number;
  /** Its places among all calls and returns; infinity for a return that never came. */
  readonly calledAt: number;
  returnedAt: number;
}

export interface CallOrReturn<Input, Output> {
  readonly kind: "call" | "return";
  readonly entry: Entry<Input, Output>;
  /** How many operations that returned were called before it. */
  readonly callsBefore: number;
  previous: CallOrReturn<Input, Output>;
  next: CallOrReturn<Input, Output>;
}

/**
 * The calls and returns of a history in order of time, without those of the operations that were taken out.
 *
 * Source: Wing and Gong, "Testing and verifying concurrent objects" (1993), section 4.
 */
export class CallReturnList<Input, Output> {
  /** Operations that returned, in order of invocation. */
  readonly returned: Entry<Input, Output>[] = [];
  /** Operations that never returned, in order of invocation. They are not in the list. */
  readonly unreturned: Entry<Input, Output>[] = [];
  readonly #calls: CallOrReturn<Input, Output>[] = [];
  readonly #returns: CallOrReturn<Input, Output>[] = [];
  /** Before the first event and after the last; a return, so that a walk over calls ends there. */
  readonly #end = { kind: "return" } as CallOrReturn<Input, Output>;

  /** Without those of `history` that never returned and are `pointless`. */
  constructor(history: readonly Operation<Input, Output>[], pointless: (input: Input) => boolean) {
    this.#end.previous = this.#end;
    this.#end.next = this.#end;
    const entries: Entry<Input, Output>[] = [];
    for (const [at, { kind, operation, number }] of inOrder(history).entries()) {
      if (kind === "return") {
        const entry = entries[number] as Entry<Input, Output>;
        entry.returnedAt = at;
        this.#returns[entry.index] = this.#append(kind, entry);
        continue;
      }
      const returned = operation.returnedAt !== undefined;
      if (!returned && pointless(operation.input)) continue;
      const siblings = returned ? this.returned : this.unreturned;
      const output = operation.returnedAt === undefined ? pending : operation.output;
      const returnedAt = Number.POSITIVE_INFINITY;
      const entry: Entry<Input, Output> = {
        operation,
        output,
        index: siblings.length,
        calledAt: at,
        returnedAt,
      };
      entries[number] = entry;
      if (returned) this.#calls.push(this.#append(kind, entry));
      siblings.push(entry);
    }
  }

  /** A call, unless nothing is left. */
  get first(): CallOrReturn<Input, Output> {
    return this.#end.next;
  }

  /** Indexes: of those below `from` no operation is left, of those from `to` on none was removed. */
  removedWithin(): { readonly from: number; readonly to: number } {
    const { first } = this;
    if (first.kind === "return") return { from: this.returned.length, to: this.returned.length };
    let event = first;
    while (event.kind === "call") event = event.next;
    return { from: first.entry.index, to: event.callsBefore };
  }

  /** The operations left of which one must come next: those called before the first return that is left. */
  due(): Entry<Input, Output>[] {
    const entries: Entry<Input, Output>[] = [];
    for (let event = this.first; event.kind === "call"; event = event.next) entries.push(event.entry);
    return entries;
  }

  remove({ index }: Entry<Input, Output>): void {
    unlink(this.#calls[index] as CallOrReturn<Input, Output>);
    unlink(this.#returns[index] as CallOrReturn<Input, Output>);
  }

  /** Undoes the last `remove` that is not undone yet. */
  restore({ index }: Entry<Input, Output>): void {
    relink(this.#returns[index] as CallOrReturn<Input, Output>);
    relink(this.#calls[index] as CallOrReturn<Input, Output>);
  }

  #append(kind: "call" | "return", entry: Entry<Input, Output>): CallOrReturn<Input, Output> {
    const event = {
      kind,
      entry,
      callsBefore: this.returned.length,
      previous: this.#end.previous,
      next: this.#end,
    };
    relink(event);
    return event;
  }
}

function unlink<Input, Output>({ previous, next }: CallOrReturn<Input, Output>): void {
  previous.next = next;
  next.previous = previous;
}

function relink<Input, Output>(event: CallOrReturn<Input, Output>): void {
  event.previous.next = event;
  event.next.previous = event;
}

interface Timed<Input, Output> {
  readonly kind: "call" | "return";
  readonly time: number;
  readonly operation: Operation<Input, Output>;
  /** Which operation of the history it is. */
  readonly number: number;
}

/** At equal times calls come before returns: a clock too coarse to tell an order proves none. */
function inOrder<Input, Output>(history: readonly Operation<Input, Output>[]): Timed<Input, Output>[] {
  const calls: Timed<Input, Output>[] = [];
  const returns: Timed<Input, Output>[] = [];
  for (const [number, operation] of history.entries()) {
    const { invokedAt, returnedAt } = operation;
    const end = returnedAt ?? Number.POSITIVE_INFINITY;
    assert(invokedAt <= end, "an operation returns after it was invoked");
    calls.push({ kind: "call", time: invokedAt, operation, number });
    if (returnedAt !== undefined) returns.push({ kind: "return", time: end, operation, number });
  }
  // The sort is stable.
  return [...calls, ...returns].sort((a, b) => a.time - b.time);
}
