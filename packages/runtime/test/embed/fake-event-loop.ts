/** A clock that moves when it is told to, and turns of an event loop that are taken when they are asked for. */
export class FakeEventLoop {
  nowMs = 1000;
  turns = 0;
  #waiting: (() => void)[] = [];

  readonly now = (): number => this.nowMs;

  readonly nextTurn = (fn: () => void): void => {
    this.#waiting.push(fn);
  };

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** What is asked for meanwhile waits for the turn after this one, as with setImmediate. */
  turn(): void {
    const due = this.#waiting;
    this.#waiting = [];
    this.turns += 1;
    for (const fn of due) fn();
  }
}
