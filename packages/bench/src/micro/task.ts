/** Something short that is done again and again. */
export interface MicroTask {
  /** Does so many operations; returns the milliseconds that they took, without what had to be set up for them. */
  run(operations: number): number | Promise<number>;
  close?(): Promise<unknown>;
}

export interface MicroKind {
  readonly id: string;
  /** What one operation is, in a few words. */
  readonly operation: string;
  /** More of them in one run would measure a state that no cluster is in, or fill the memory. */
  readonly operationsMax: number;
  open(): MicroTask | Promise<MicroTask>;
}

/** Operations of a task that keeps nothing. */
export const unbounded = 1_000_000;

/** Milliseconds. */
export function timed(work: () => void): number {
  const from = performance.now();
  work();
  return performance.now() - from;
}

/** What was measured is worth nothing if the work was not done: say so, outside of the time taken. */
export function mustBe(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: expected ${expected}, found ${found}`);
}
