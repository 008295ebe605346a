import { acceptedRanges, higherBallot } from "./accepted-log.js";
import { noBallot } from "./ballot.js";
import { noopBatch } from "./batch.js";
import { endOf, type InstanceRanges } from "./instance-ranges.js";
import type { AcceptedEntry, PromiseMessage } from "./messages.js";
import type { Preparing } from "./proposer-state.js";
import { addAcceptor } from "./quorum.js";

/** What a quorum of promises says. */
export interface Merged {
  /** The first instance that is to be proposed again. */
  readonly firstInstance: number;
  /** Values for all instances from there to the highest that was seen, without a hole. */
  readonly recovered: AcceptedEntry[];
  /** Everything below is chosen, and forgotten by an acceptor. */
  readonly trimmedBelow: number;
  /** The latest time that any of the values was stamped with, in milliseconds. */
  readonly timeMs: number;
}

/** Notes a Promise, or a part of one: an acceptor has promised once all parts of one answer have come. */
export function addPromise(state: Preparing, acceptor: number, message: PromiseMessage): void {
  // A resent Prepare is answered anew, maybe in other parts: those of one answer agree on how many there are.
  let parts = state.promises.get(acceptor);
  if (parts === undefined || parts[0]?.parts !== message.parts) {
    parts = [];
    state.promises.set(acceptor, parts);
  }
  if (parts.some(({ part }) => part === message.part)) return;
  parts.push(message);
  if (parts.length < message.parts) return;
  state.promised = addAcceptor(state.promised, acceptor);
}

/**
 * Per instance the value of the highest ballot that was accepted, or what this proposer had under way itself.
 *
 * Source: "Paxos Made Simple", section 2.2, condition P2c, and section 3.
 */
export function mergePromises(state: Preparing, timeMs: number): Merged {
  let trimmedBelow = 0;
  const found = acceptedRanges();
  for (const entry of state.carried) found.put(entry, higherBallot);
  for (const parts of state.promises.values()) {
    if (parts.length < (parts[0]?.parts ?? 1)) continue;
    for (const part of parts) {
      trimmedBelow = Math.max(trimmedBelow, part.trimmedBelow);
      for (const entry of part.accepted) found.put(entry, higherBallot);
    }
  }
  const firstInstance = Math.max(state.firstInstance, trimmedBelow);
  found.dropBelow(firstInstance);
  return { firstInstance, trimmedBelow, ...withoutHoles(found, firstInstance, timeMs) };
}

/** No acceptor of a quorum knows a value for a hole: a no-op takes its place. */
function withoutHoles(
  found: InstanceRanges<AcceptedEntry>,
  firstInstance: number,
  earlierMs: number,
): Pick<Merged, "recovered" | "timeMs"> {
  const recovered: AcceptedEntry[] = [];
  let timeMs = earlierMs;
  let at = firstInstance;
  for (const entry of found.from(firstInstance)) {
    timeMs = Math.max(timeMs, entry.batch.timeMs);
    if (entry.firstInstance > at) {
      const count = entry.firstInstance - at;
      const batch = noopBatch(count, timeMs);
      recovered.push({ ballot: noBallot, firstInstance: at, count, batch, source: null });
    }
    recovered.push(entry);
    at = endOf(entry);
  }
  return { recovered, timeMs };
}
