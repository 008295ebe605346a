import type { Address, Message } from "../../messages.js";

/** Where an acceptor crashes on its way from a message to its answer, to start again from what it has persisted. */
export type CrashPoint = "never" | "before persisting" | "before sending";

/** One thing that happens to one actor. */
export type Input =
  | { readonly kind: "campaign" }
  | { readonly kind: "propose" }
  | { readonly kind: "tick" }
  | { readonly kind: "restart" }
  | { readonly kind: "deliver"; readonly from: Address; readonly item: number; readonly crash: CrashPoint };

/** A message as it was sent. It stays in the network for ever, so that loss and duplication need no steps. */
export interface Item {
  readonly to: readonly Address[];
  readonly message: Message;
}

/** Gives equal things equal small numbers. */
export class Interner<Thing> {
  readonly #numbers = new Map<string, number>();
  readonly things: Thing[] = [];

  /** `key` tells different things apart. */
  numberOf(key: string, thing: Thing): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.things.length);
    return this.things.push(thing) - 1;
  }
}
