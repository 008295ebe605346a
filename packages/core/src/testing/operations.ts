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

  /** `now` is virtual time. */
  constructor(now: () => number) {
    this.#now = now;
  }

  proposed(client: number, command: number): void {
    this.#placeOfCommand.set(command, this.#invoke(client, { kind: "increment", by: 1 }));
  }

  settled(command: number, result: number): void {
    this.#return(this.#placeOfCommand.get(command), result);
  }

  asked(client: number, id: number): void {
    this.#placeOfRead.set(`${client} ${id}`, this.#invoke(client, { kind: "read" }));
  }

  answered(client: number, id: number, result: number): void {
    this.#return(this.#placeOfRead.get(`${client} ${id}`), result);
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
