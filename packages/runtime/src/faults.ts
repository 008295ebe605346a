import { checkStall } from "./options.js";
import type { Supervisor } from "./supervisor.js";

/** Makes actors' threads fail, for tests and for whoever wants to see what happens then. */
export class Faults {
  readonly #supervisor: Supervisor;
  readonly #checkOpen: () => void;

  constructor(supervisor: Supervisor, checkOpen: () => void) {
    this.#supervisor = supervisor;
    this.#checkOpen = checkOpen;
  }

  /**
   * Ends an actor's thread now, whatever it does; resolves when it has exited, at once if the actor is down. It is
   * restarted without delay, and this does not count against `restarts`.
   *
   * @param name as `status()` has it: `acceptor-1`
   * @throws SynodError `INVALID_OPTIONS`, `CLUSTER_CLOSED`
   */
  async kill(name: string): Promise<void> {
    this.#checkOpen();
    await this.#supervisor.kill(name);
  }

  /**
   * Lets an actor's thread stand still for `ms` milliseconds, 1 to 600,000; resolves when that has begun. It can be
   * killed meanwhile. A thread that stands still already begins when that is over.
   *
   * @throws SynodError `INVALID_OPTIONS`, `ACTOR_FAILED` when it is down, `TIMEOUT`, `CLUSTER_CLOSED`
   */
  async pause(name: string, options: { readonly ms: number }): Promise<void> {
    this.#checkOpen();
    checkStall(options);
    await this.#supervisor.stall(name, options.ms);
  }
}
