import type { Address, Message } from "../messages.js";
import { describeMessage } from "./describe.js";

/** One step of a run. */
export type SimulationEvent =
  | { readonly kind: "deliver"; readonly from: Address; readonly to: Address; readonly message: Message }
  | { readonly kind: "tick"; readonly host: Address; readonly at: number }
  | { readonly kind: "flush"; readonly host: Address }
  | { readonly kind: "restart"; readonly host: Address }
  | { readonly kind: "act"; readonly host: Address }
  | {
      readonly kind: "call";
      readonly host: Address;
      readonly life: number;
      /** The time that the host had looked at before it froze. */
      readonly sampledAt: number;
      readonly call:
        | { readonly kind: "receive"; readonly from: Address; readonly message: Message }
        | { readonly kind: "tick" }
        | { readonly kind: "flush" };
    }
  | { readonly kind: "unrest" };

export function describeEvent(event: SimulationEvent): string {
  if (event.kind === "unrest") return "unrest";
  if (event.kind === "call") return `${event.host} goes on with ${event.call.kind} of ${event.sampledAt} ms`;
  if (event.kind !== "deliver") return `${event.host} ${event.kind}`;
  return `${event.from} -> ${event.to}  ${describeMessage(event.message)}`;
}
