import type { Address, Message } from "../messages.js";
import { describeMessage } from "./describe.js";

/** One step of a run. */
export type SimulationEvent =
  | { readonly kind: "deliver"; readonly from: Address; readonly to: Address; readonly message: Message }
  | { readonly kind: "tick"; readonly host: Address; readonly at: number }
  | { readonly kind: "flush"; readonly host: Address }
  | { readonly kind: "restart"; readonly host: Address }
  | { readonly kind: "act"; readonly host: Address }
  | { readonly kind: "campaign" };

export function describeEvent(event: SimulationEvent): string {
  if (event.kind === "campaign") return "someone campaigns";
  if (event.kind !== "deliver") return `${event.host} ${event.kind}`;
  return `${event.from} -> ${event.to}  ${describeMessage(event.message)}`;
}
