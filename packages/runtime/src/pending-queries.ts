import { ApplyFailure, type Result } from "@synod/core";
import { SynodError } from "./errors.js";

interface PendingQuery {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly forgetSignal: () => void;
}

/** The promises of a client's queries, by the numbers that core's client gave them. */
export class PendingQueries {
  readonly #pending = new Map<number, PendingQuery>();
  readonly #onAbort: (id: number) => void;

  /** `onAbort` is called when a caller's signal has ended its wait. */
  constructor(onAbort: (id: number) => void) {
    this.#onAbort = onAbort;
  }

  get open(): number {
    return this.#pending.size;
  }

  add(id: number, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      const onAbort = () => {
        const details = { outcome: "not-applied", cause: signal?.reason } as const;
        this.reject(id, new SynodError("ABORTED", "the caller's signal ended a query", details));
        this.#onAbort(id);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const forgetSignal = () => signal?.removeEventListener("abort", onAbort);
      this.#pending.set(id, { resolve, reject, forgetSignal });
    });
  }

  answer(id: number, result: Result): void {
    const query = this.#settle(id);
    if (query === undefined) return;
    if (result instanceof ApplyFailure) {
      query.reject(
        new SynodError("STATE_MACHINE_FAILED", `the state machine could not answer: ${result.reason}`),
      );
    } else query.resolve(result);
  }

  reject(id: number, error: SynodError): void {
    this.#settle(id)?.reject(error);
  }

  rejectAll(error: SynodError): void {
    for (const id of [...this.#pending.keys()]) this.reject(id, error);
  }

  #settle(id: number): PendingQuery | undefined {
    const query = this.#pending.get(id);
    this.#pending.delete(id);
    query?.forgetSignal();
    return query;
  }
}
