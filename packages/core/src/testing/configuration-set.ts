import type { CallReturnList, Entry } from "./call-return-list.js";
import { pending } from "./sequential-model.js";

const bitsPerWord = 16;

/**
 * The operations that a search has linearized, and all pairs of such a set and a state that it has been to: what is
 * possible from there depends on nothing else.
 *
 * Source: Lowe, "Testing for linearizability" (2017), section 4.
 */
export class ConfigurationSet<Input, Output> {
  readonly #returned: Uint16Array;
  readonly #unreturned: Uint16Array;
  readonly #seen = new Set<string>();

  constructor({ returned, unreturned }: CallReturnList<Input, Output>) {
    this.#returned = new Uint16Array(Math.ceil(returned.length / bitsPerWord));
    this.#unreturned = new Uint16Array(Math.ceil(unreturned.length / bitsPerWord));
  }

  has(entry: Entry<Input, Output>): boolean {
    const word = this.#wordsOf(entry)[Math.floor(entry.index / bitsPerWord)] as number;
    return (word & bitOf(entry)) !== 0;
  }

  /** Puts an operation in, or takes it out again. */
  toggle(entry: Entry<Input, Output>): void {
    const words = this.#wordsOf(entry);
    const at = Math.floor(entry.index / bitsPerWord);
    words[at] = (words[at] as number) ^ bitOf(entry);
  }

  /** Notes the set as it is with a state; returns whether that pair is new. */
  visit(list: CallReturnList<Input, Output>, state: string): boolean {
    const { from, to } = list.removedWithin();
    const first = Math.floor(from / bitsPerWord);
    const end = Math.ceil(to / bitsPerWord);
    let key = `${first} ${end} `;
    for (let at = first; at < end; at++) key += String.fromCharCode(this.#returned[at] as number);
    for (const word of this.#unreturned) key += String.fromCharCode(word);
    const before = this.#seen.size;
    this.#seen.add(key + state);
    return this.#seen.size > before;
  }

  #wordsOf({ output }: Entry<Input, Output>): Uint16Array {
    return output === pending ? this.#unreturned : this.#returned;
  }
}

function bitOf({ index }: { readonly index: number }): number {
  return 1 << (index % bitsPerWord);
}
