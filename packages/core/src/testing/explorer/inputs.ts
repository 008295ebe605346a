import type { Address } from "../../messages.js";

/** Where an acceptor crashes on its way from a message to its answer, to start again from what it has persisted. */
export type CrashPoint = "never" | "before persisting" | "before sending";

/** One thing that happens to one actor. */
export type Input =
  | { readonly kind: "campaign" }
  | { readonly kind: "propose" }
  | { readonly kind: "tick" }
  | { readonly kind: "restart" }
  | {
      readonly kind: "deliver";
      readonly from: Address;
      /** Number of the message in the {@link Network}. */
      readonly message: number;
      readonly crash: CrashPoint;
    };

/** A message in the network, where it stays for ever: so loss, duplication and reordering need no steps. */
export interface Sent {
  readonly message: number;
  /** To whom it was ever sent: one bit for each actor. */
  readonly to: number;
}

/** Is everything of `less` in `more`, and sent to the same actors? */
export function includesAll(more: readonly Sent[], less: readonly Sent[]): boolean {
  return less.every(({ message, to }) =>
    more.some(other => other.message === message && (to & ~other.to) === 0),
  );
}
