import type { LocalStates } from "./local-states.js";

/**
 * Acceptors are alike: states that differ only in which acceptor is which are one state. Its canonical form has the
 * acceptors in ascending order of their local states; among equal ones, the order that makes the rest least.
 */
export class Symmetry {
  readonly #tables: readonly LocalStates[];
  readonly #orders: readonly (readonly number[])[];
  readonly #firstAcceptor: number;
  readonly #acceptors: number;
  readonly #best: Int32Array;
  readonly #candidate: Int32Array;

  /** `tables` holds the local states of each actor; `orders` every order of the acceptors. */
  constructor(tables: readonly LocalStates[], orders: readonly (readonly number[])[]) {
    this.#tables = tables;
    this.#orders = orders;
    this.#firstAcceptor = tables.findIndex(({ role }) => role === "acceptor");
    this.#acceptors = orders[0]?.length ?? 0;
    this.#best = new Int32Array(tables.length);
    this.#candidate = new Int32Array(tables.length);
  }

  /** Replaces the tuple by its canonical form; returns the number of the order that did it. */
  canonicalise(tuple: Int32Array): number {
    let bestOrder = -1;
    for (let order = 0; order < this.#orders.length; order++) {
      if (!this.#sorts(tuple, this.#orders[order]!)) continue;
      this.#permute(tuple, order, bestOrder < 0 ? this.#best : this.#candidate);
      if (bestOrder < 0) bestOrder = order;
      else if (isLess(this.#candidate, this.#best)) {
        this.#best.set(this.#candidate);
        bestOrder = order;
      }
    }
    tuple.set(this.#best);
    return bestOrder;
  }

  /** The names of the actors of a canonical form, from those of the tuple that was put in this order. */
  renamed(names: readonly string[], order: number): readonly string[] {
    const places = this.#orders[order]!;
    const renamed = [...names];
    places.forEach((place, acceptor) => {
      renamed[this.#firstAcceptor + place] = names[this.#firstAcceptor + acceptor]!;
    });
    return renamed;
  }

  /** All that the future depends on but for the messages, as the least text over all orders of the acceptors. */
  shapeOf(tuple: Int32Array): string {
    const shapes = this.#orders.map((_, order) => {
      this.#permute(tuple, order, this.#candidate);
      return Array.from(this.#candidate, (state, actor) => this.#tables[actor]!.textOf(state)).join("\n");
    });
    return shapes.sort()[0]!;
  }

  /** Are the acceptors in ascending order when each i has moved to `places[i]`? */
  #sorts(tuple: Int32Array, places: readonly number[]): boolean {
    const first = this.#firstAcceptor;
    for (let left = 0; left < this.#acceptors; left++) {
      for (let right = left + 1; right < this.#acceptors; right++) {
        const order = tuple[first + left]! - tuple[first + right]!;
        if (order !== 0 && order < 0 !== places[left]! < places[right]!) return false;
      }
    }
    return true;
  }

  #permute(tuple: Int32Array, order: number, into: Int32Array): void {
    const places = this.#orders[order]!;
    for (let actor = 0; actor < tuple.length; actor++) {
      const acceptor = actor - this.#firstAcceptor;
      const state = tuple[actor]!;
      if (acceptor >= 0 && acceptor < this.#acceptors) into[this.#firstAcceptor + places[acceptor]!] = state;
      else into[actor] = order === 0 ? state : this.#tables[actor]!.permuted(state, order);
    }
  }
}

function isLess(left: Int32Array, right: Int32Array): boolean {
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return left[index]! < right[index]!;
  }
  return false;
}
