import { assert } from "./assert.js";
import { limits } from "./limits.js";
import type { Results } from "./messages.js";

/** Results of consecutive sequence numbers that a caller still waits for. */
export interface Settled {
  readonly firstSequence: number;
  readonly results: Results;
}

/** What was submitted in one piece and is kept until all of it is answered. */
export interface Submission {
  readonly firstSequence: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** When callers stop waiting, in milliseconds of the clock: one time for each of `length` commands, or one for all. */
export type Deadlines = readonly number[] | { readonly length: number; readonly all: number };

/** What is known of a sequence number. */
export const slot = { answered: 0, waiting: 1, abandoned: 2 } as const;
export type Slot = (typeof slot)[keyof typeof slot];

/** Sequence numbers of a session that are used and not answered, in a window that bounds how many there may be. */
export class Outstanding {
  readonly #slots: Uint8Array;
  readonly #deadlines: Float64Array;
  #submissions: Submission[] = [];
  /** Size of their payloads. */
  #bytes = 0;
  #next = 1;
  /** Everything below is answered. */
  #oldest = 1;
  #earliestDeadline = Number.POSITIVE_INFINITY;

  /** `commandsMax` is a power of two. */
  constructor(commandsMax: number) {
    assert((commandsMax & (commandsMax - 1)) === 0, "the window is a power of two");
    this.#slots = new Uint8Array(commandsMax);
    this.#deadlines = new Float64Array(commandsMax);
  }

  /** Those whose callers have gone are counted too. */
  get count(): number {
    return this.#next - this.#oldest;
  }

  /** How many more there may be; none while too many bytes are kept. */
  get room(): number {
    return this.#bytes < limits.clientWindowBytesMax ? this.#slots.length - this.count : 0;
  }

  get oldest(): number {
    return this.#oldest;
  }

  get earliestDeadline(): number {
    return this.#earliestDeadline;
  }

  /** What is not answered to its end, in order. */
  get submissions(): readonly Submission[] {
    return this.#submissions;
  }

  /** Gives numbers to commands. */
  submit(bytes: Uint8Array, deadlines: Deadlines): Submission {
    const count = deadlines.length;
    assert(count > 0 && count <= this.room, "a submission fits into the window");
    const firstSequence = this.#next;
    if ("all" in deadlines) this.#note(firstSequence, count, deadlines.all);
    else for (let index = 0; index < count; index++) this.#note(firstSequence + index, 1, deadlines[index]!);
    this.#next += count;
    const submission = { firstSequence, count, bytes };
    this.#submissions.push(submission);
    this.#bytes += bytes.byteLength;
    return submission;
  }

  /** Its caller has gone. False when nobody waits for it any more. */
  abandon(sequence: number): boolean {
    if (this.of(sequence) !== slot.waiting) return false;
    this.#set(sequence, slot.abandoned);
    return true;
  }

  /** Notes results; appends those that a caller waits for to `settled`. Returns whether the oldest was among them. */
  answer(firstSequence: number, results: Results, settled: Settled[]): boolean {
    const before = this.#oldest;
    const slots = this.#slots;
    const size = slots.length;
    let runStart = -1;
    for (let index = 0; index <= results.length; index++) {
      const sequence = firstSequence + index;
      const isOpen = index < results.length && sequence >= before && sequence < this.#next;
      const known = isOpen ? slots[sequence % size] : slot.answered;
      if (known !== slot.answered) slots[sequence % size] = slot.answered;
      if (known === slot.waiting) {
        if (runStart < 0) runStart = index;
      } else if (runStart >= 0) {
        const whole = runStart === 0 && index === results.length;
        settled.push({
          firstSequence: firstSequence + runStart,
          results: whole ? results : results.slice(runStart, index),
        });
        runStart = -1;
      }
    }
    while (this.#oldest < this.#next && slots[this.#oldest % size] === slot.answered) this.#oldest += 1;
    if (this.#oldest === before) return false;
    this.#dropAnswered();
    return true;
  }

  /** Abandons those whose deadline has passed; returns their numbers. */
  expire(now: number): number[] {
    const expired: number[] = [];
    this.#earliestDeadline = Number.POSITIVE_INFINITY;
    for (let sequence = this.#oldest; sequence < this.#next; sequence++) {
      if (this.of(sequence) !== slot.waiting) continue;
      const deadline = this.#deadlines[sequence % this.#deadlines.length] as number;
      if (deadline > now) this.#earliestDeadline = Math.min(this.#earliestDeadline, deadline);
      else {
        this.#set(sequence, slot.abandoned);
        expired.push(sequence);
      }
    }
    return expired;
  }

  of(sequence: number): Slot {
    if (sequence < this.#oldest || sequence >= this.#next) return slot.answered;
    return this.#slots[sequence % this.#slots.length] as Slot;
  }

  /** So many numbers wait from now on. */
  #note(firstSequence: number, count: number, deadline: number): void {
    const size = this.#slots.length;
    const from = firstSequence % size;
    const to = Math.min(from + count, size);
    this.#slots.fill(slot.waiting, from, to);
    this.#deadlines.fill(deadline, from, to);
    if (deadline < this.#earliestDeadline) this.#earliestDeadline = deadline;
    // The window is a ring.
    const rest = count - (to - from);
    if (rest > 0) this.#note(firstSequence + count - rest, rest, deadline);
  }

  #set(sequence: number, known: Slot): void {
    this.#slots[sequence % this.#slots.length] = known;
  }

  #dropAnswered(): void {
    let done = 0;
    for (const { firstSequence, count, bytes } of this.#submissions) {
      if (firstSequence + count > this.#oldest) break;
      done += 1;
      this.#bytes -= bytes.byteLength;
    }
    if (done > 0) this.#submissions.splice(0, done);
    if (this.count === 0) this.#earliestDeadline = Number.POSITIVE_INFINITY;
  }
}
