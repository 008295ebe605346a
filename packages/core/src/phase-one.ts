import { higherBallot } from "./accepted-log.js";
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

/** The rest of an acceptor's Promise begins here: where phase 1 does while it has said nothing, -1 when it is complete. */
export function continuesAt(state: Preparing, acceptor: number): number {
  return state.promises.get(acceptor) ?? state.firstInstance;
}

/**
 * Notes a Promise, or the part of one that was asked for last; returns false for any other, which changes nothing. An
 * acceptor has promised once its parts cover everything from the prepared instance on.
 */
export function addPromise(state: Preparing, acceptor: number, message: PromiseMessage): boolean {
  if (message.firstInstance !== continuesAt(state, acceptor)) return false;
  state.promises.set(acceptor, message.continuesAt);
  state.trimmedBelow = Math.max(state.trimmedBelow, message.trimmedBelow);
  for (const entry of message.accepted) state.found.put(entry, higherBallot);
  if (message.continuesAt < 0) state.promised = addAcceptor(state.promised, acceptor);
  return true;
}

/**
 * Per instance the value of the highest ballot that was accepted, or what this proposer had under way itself.
 *
 * Source: "Paxos Made Simple", section 2.2, condition P2c, and section 3.
 */
export function mergePromises(state: Preparing, timeMs: number): Merged {
  const { found, trimmedBelow } = state;
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
