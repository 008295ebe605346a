import { checkStall } from "./options.js";

/** Whoever has the threads. */
export interface FaultyThreads {
  kill(name: string): Promise<void>;
  stall(name: string, ms: number): Promise<void>;
}

/** Makes actors' threads fail, for tests and for whoever wants to see what happens then. */
export class Faults {
  readonly #threads: FaultyThreads;
  readonly #checkOpen: () => void;

  constructor(threads: FaultyThreads, checkOpen: () => void) {
    this.#threads = threads;
    this.#checkOpen = checkOpen;
  }

  /**
   * Ends an actor's thread now, whatever it does; resolves when it has exited, at once if the actor is down. It is
   * restarted without delay, and this does not count against `restarts`. With `threads: "compact"` or `"single"` the
   * thread hosts other actors too, which go and come back with it: `thread` says which, in status() and in the events.
   *
   * @param name as `status()` has it: `acceptor-1`
   * @throws SynodError `INVALID_OPTIONS`, `CLUSTER_CLOSED`
   */
  async kill(name: string): Promise<void> {
    this.#checkOpen();
    await this.#threads.kill(name);
  }

  /**
   * Lets an actor's thread stand still for `ms` milliseconds, 1 to 600,000, with all actors that it hosts; resolves when
   * that has begun. It can be killed meanwhile. A thread that stands still already begins when that is over.
   *
   * @throws SynodError `INVALID_OPTIONS`, `ACTOR_FAILED` when it is down, `TIMEOUT`, `CLUSTER_CLOSED`
   */
  async pause(name: string, options: { readonly ms: number }): Promise<void> {
    this.#checkOpen();
    checkStall(options);
    await this.#threads.stall(name, options.ms);
  }
}
