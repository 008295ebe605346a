import { CheckFailure } from "./checker.js";
import { checkLinearizability } from "./linearizability.js";
import type { Operation } from "./operation.js";
import { type CounterInput, counterModel } from "./sequential-model.js";

/**
 * What all clients of a run did, as seen from outside: every command increments the state machine's one counter and
 * is told its value, every linearizable read is told the value too.
 */
export class Operations {
  readonly #now: () => number;
  readonly #history: Operation<CounterInput, number>[] = [];
  readonly #placeOfCommand = new Map<number, number>();
  readonly #placeOfRead = new Map<string, number>();
  /** The highest value that anybody was told, and by read what it was when the read began. */
  #told = 0;
  readonly #toldBefore = new Map<number, number>();

  /** `now` is virtual time. */
  constructor(now: () => number) {
    this.#now = now;
  }

  proposed(client: number, command: number): void {
    this.#placeOfCommand.set(command, this.#invoke(client, { kind: "increment", by: 1 }));
  }

  settled(command: number, result: number): void {
    this.#told = Math.max(this.#told, result);
    this.#return(this.#placeOfCommand.get(command), result);
  }

  asked(client: number, id: number): void {
    const place = this.#invoke(client, { kind: "read" });
    this.#placeOfRead.set(`${client} ${id}`, place);
    this.#toldBefore.set(place, this.#told);
  }

  answered(client: number, id: number, result: number): void {
    const place = this.#placeOfRead.get(`${client} ${id}`);
    // The counter only grows, so that a stale read shows at once. The history as a whole is judged at the end.
    const before = this.#toldBefore.get(place ?? -1) ?? 0;
    if (result < before)
      throw new CheckFailure(`a linearizable read is stale: ${result}, told was ${before}`);
    this.#told = Math.max(this.#told, result);
    this.#return(place, result);
  }

  /** Why the history cannot be that of one counter; `undefined` when it can. */
  violation(): string | undefined {
    const result = checkLinearizability(counterModel(), this.#history);
    if (result.linearizable) return undefined;
    const why = result.linearizable === false ? "the history is not linearizable" : "undecided";
    return [`${why}:`, ...result.explanation].join("\n  ");
  }

  #invoke(client: number, input: CounterInput): number {
    this.#history.push({ client, invokedAt: this.#now(), input });
    return this.#history.length - 1;
  }

  #return(place: number | undefined, output: number): void {
    const begun = place === undefined ? undefined : this.#history[place];
    if (begun === undefined || place === undefined) return;
    const { client, invokedAt, input } = begun;
    this.#history[place] = { client, invokedAt, input, returnedAt: this.#now(), output };
  }
}
