import { SynodError } from "../errors.js";

interface Wait {
  readonly resolve: () => void;
  readonly reject: (error: SynodError) => void;
  readonly forgetSignal: () => void;
}

/** Promises that a caller waits for, by number, each with a signal that may end it. */
export class Waits {
  readonly #waits = new Map<number, Wait>();
  readonly #onAbort: (id: number) => void;

  /** `onAbort` is called when a caller's signal has ended its wait. */
  constructor(onAbort: (id: number) => void) {
    this.#onAbort = onAbort;
  }

  get open(): number {
    return this.#waits.size;
  }

  add(id: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.reject(id, aborted(signal));
        this.#onAbort(id);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const forgetSignal = () => signal?.removeEventListener("abort", onAbort);
      this.#waits.set(id, { resolve, reject, forgetSignal });
    });
  }

  resolve(id: number): void {
    this.#take(id)?.resolve();
  }

  reject(id: number, error: SynodError): void {
    this.#take(id)?.reject(error);
  }

  rejectAll(error: SynodError): void {
    for (const id of [...this.#waits.keys()]) this.reject(id, error);
  }

  #take(id: number): Wait | undefined {
    const wait = this.#waits.get(id);
    this.#waits.delete(id);
    wait?.forgetSignal();
    return wait;
  }
}

export function aborted(signal: AbortSignal | undefined): SynodError {
  const details = { outcome: "not-applied", cause: signal?.reason } as const;
  return new SynodError("ABORTED", "the caller's signal ended a wait on a replica", details);
}
