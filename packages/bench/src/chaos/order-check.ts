import type { Outcome } from "@synod/runtime";

type Settled = number | Outcome;

/**
 * Checks what one session is told about its own counter, which nobody else increments: the n-th call returns n, less
 * those before it that did not take effect. Where an outcome is unknown there may be one less. Calls may settle in
 * any order; they are checked in the order in which they were made.
 */
export class OrderCheck {
  #calls = 0;
  /** The first call that has not been checked. */
  #next = 1;
  readonly #waiting = new Map<number, Settled>();
  #notApplied = 0;
  #unknown = 0;
  #last = 0;

  /** Returns the number of the call. */
  called(): number {
    return ++this.#calls;
  }

  /** Calls that have not settled. */
  get open(): number {
    return this.#calls - (this.#next - 1) - this.#waiting.size;
  }

  /** What is wrong, if anything is. */
  settled(number: number, how: Settled): string | undefined {
    if (number !== this.#next) {
      this.#waiting.set(number, how);
      return undefined;
    }
    let wrong = this.#check(how);
    for (;;) {
      const next = this.#waiting.get(this.#next);
      if (next === undefined) return wrong;
      this.#waiting.delete(this.#next);
      wrong ??= this.#check(next);
    }
  }

  #check(how: Settled): string | undefined {
    const number = this.#next++;
    if (how === "not-applied") this.#notApplied++;
    else if (how === "unknown") this.#unknown++;
    else return this.#checkValue(number, how);
    return undefined;
  }

  #checkValue(number: number, value: number): string | undefined {
    const most = number - this.#notApplied;
    const least = Math.max(most - this.#unknown, this.#last + 1);
    // Whether those before it took effect is known now. What is wrong is told once: the next ones go on from here.
    this.#last = value;
    this.#notApplied = number - value;
    this.#unknown = 0;
    if (value >= least && value <= most) return undefined;
    const allowed = least === most ? String(most) : `${least} to ${most}`;
    return `increment ${number} of a session returned ${value}; it must be ${allowed}`;
  }
}
