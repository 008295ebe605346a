import { formatBallot } from "../ballot.js";
import type { Batch, Segment } from "../batch.js";
import type { Address, Message } from "../messages.js";

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

/** A message in one short line. */
function describeMessage(message: Message): string {
  switch (message.type) {
    case "propose":
      return `propose ${message.segments.map(describeSegment).join(" ")}`;
    case "prepare":
      return `prepare ${formatBallot(message.ballot)} from ${message.firstInstance}`;
    case "promise": {
      const accepted = message.accepted.map(
        ({ ballot, firstInstance, batch }) =>
          `${firstInstance}@${formatBallot(ballot)} ${describeBatch(batch)}`,
      );
      const part = `${message.part + 1}/${message.parts}`;
      return `promise ${formatBallot(message.ballot)} ${part} {${accepted.join(", ")}}`;
    }
    case "refuse":
      return `refuse ${formatBallot(message.ballot)}, promised ${formatBallot(message.promised)}`;
    case "accept":
      return `accept ${formatBallot(message.ballot)} ${message.firstInstance} ${describeBatch(message.batch)}`;
    case "accepted":
      return `accepted ${formatBallot(message.ballot)} ${message.firstInstance}+${message.count}`;
    case "response":
      return `response ${message.session}:${message.firstSequence}+${message.results.length}`;
    case "sequenceGap":
      return `sequenceGap ${message.session}:${message.expected}`;
    case "fetch":
      return `fetch from ${message.firstInstance}`;
    default:
      return message.type;
  }
}

function describeBatch(batch: Batch): string {
  return `[${batch.segments.map(describeSegment).join(" ")}]`;
}

function describeSegment(segment: Segment): string {
  switch (segment.kind) {
    case "commands":
    case "fill":
      return `${segment.kind} ${segment.session}:${segment.firstSequence}+${segment.count}`;
    default:
      return `${segment.kind}+${segment.count}`;
  }
}
