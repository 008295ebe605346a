import { formatBallot } from "../../ballot.js";
import type { Batch } from "../../batch.js";
import type { AcceptedEntry, Message } from "../../messages.js";
import { type InstanceValue, valuesOf } from "../values.js";

/** A value as a reader knows it: the number of a command, or what stands in its place. */
export function nameOf({ kind, command }: InstanceValue): string {
  return kind === "commands" ? `command ${command}` : kind;
}

function batchName(batch: Batch): string {
  return valuesOf(batch)
    .map(({ kind, command }) => (kind === "commands" ? String(command) : kind))
    .join(" ");
}

function entryName({ ballot, firstInstance, batch }: AcceptedEntry): string {
  return `${firstInstance}: ${batchName(batch)} of ${formatBallot(ballot)}`;
}

/** A message in a few words: what it says, its ballot, and instances with their values. */
export function describeMessage(message: Message): string {
  switch (message.type) {
    case "prepare":
      return `Prepare ${formatBallot(message.ballot)} from ${message.firstInstance}`;
    case "promise": {
      const part = message.parts > 1 ? ` part ${message.part + 1} of ${message.parts}` : "";
      const trimmed = message.trimmedBelow > 0 ? `, trimmed below ${message.trimmedBelow}` : "";
      return `Promise ${formatBallot(message.ballot)}${part} [${message.accepted.map(entryName).join(", ")}]${trimmed}`;
    }
    case "refuse":
      return `Refuse ${formatBallot(message.ballot)}: promised ${formatBallot(message.promised)}`;
    case "accept": {
      const trim = message.trimBelow > 0 ? `, trim below ${message.trimBelow}` : "";
      return `Accept ${formatBallot(message.ballot)} [${message.firstInstance}: ${batchName(message.batch)}]${trim}`;
    }
    case "accepted": {
      const { ballot, firstInstance, count, batch } = message;
      const what =
        batch === null
          ? `${firstInstance} to ${firstInstance + count - 1}`
          : `${firstInstance}: ${batchName(batch)}`;
      return `Accepted ${formatBallot(ballot)} [${what}]`;
    }
    default: {
      const { type, ...fields } = message;
      return `${type} ${JSON.stringify(fields)}`;
    }
  }
}
