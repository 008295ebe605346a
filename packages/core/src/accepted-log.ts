import { compareBallots } from "./ballot.js";
import { sliceBatch } from "./batch.js";
import { endOf, InstanceRanges } from "./instance-ranges.js";
import type { AcceptedEntry } from "./messages.js";

/** The entry's part from position `skip` on: the same ballot, the same values, the same source. */
function sliceEntry(entry: AcceptedEntry, skip: number, count: number): AcceptedEntry {
  return {
    ballot: entry.ballot,
    firstInstance: entry.firstInstance + skip,
    count,
    batch: sliceBatch(entry.batch, skip, count),
    source: entry.source,
  };
}

/** Accepted values by instance, divided at the boundaries of whatever batches overlapped. */
export function acceptedRanges(): InstanceRanges<AcceptedEntry> {
  return new InstanceRanges<AcceptedEntry>(sliceEntry);
}

/**
 * Of two values for the same instances, the one that was accepted in the higher ballot.
 *
 * Source: "Paxos Made Simple", section 2.2, condition P2c.
 */
export function higherBallot(existing: AcceptedEntry, incoming: AcceptedEntry): AcceptedEntry {
  return compareBallots(incoming.ballot, existing.ballot) > 0 ? incoming : existing;
}

/** What of entries in the order of their instances a snapshot that holds everything below `instance` does not hold. */
export function entriesFrom(entries: readonly AcceptedEntry[], instance: number): AcceptedEntry[] {
  const left = acceptedRanges();
  for (const entry of entries) if (endOf(entry) > instance) left.put(entry, higherBallot);
  left.dropBelow(instance);
  return [...left.from(instance)];
}
