import { acceptedRanges, higherBallot } from "./accepted-log.js";
import { sliceBatch } from "./batch.js";
import { endOf, type InstanceRanges } from "./instance-ranges.js";
import type { AcceptedEntry, PromiseMessage } from "./messages.js";
import { type AcceptorSet, addAcceptor, hasAcceptor } from "./quorum.js";

/**
 * A leader proposes again, in its own ballot, what it had left out because it is chosen: a learner cannot learn it from
 * votes that are split over ballots. An acceptor's promise covers the whole log, so all that is missing is what it has
 * accepted there. One part of each Promise is enough: a learner that is stuck again says so again.
 */
export interface Repair {
  readonly firstInstance: number;
  /** What all acceptors that have told ends here, or what was left out does. */
  end: number;
  told: AcceptorSet;
  readonly found: InstanceRanges<AcceptedEntry>;
  sentAt: number;
}

/** Everything from `firstInstance` to `end` was left out. */
export function startRepair(firstInstance: number, end: number, now: number): Repair {
  return { firstInstance, end, told: 0, found: acceptedRanges(), sentAt: now };
}

/** Notes what an acceptor has accepted there, once; anything else changes nothing. */
export function addToRepair(repair: Repair, acceptor: number, message: PromiseMessage): void {
  if (message.firstInstance !== repair.firstInstance || hasAcceptor(repair.told, acceptor)) return;
  repair.told = addAcceptor(repair.told, acceptor);
  if (message.continuesAt >= 0) repair.end = Math.min(repair.end, message.continuesAt);
  for (const entry of message.accepted) repair.found.put(entry, higherBallot);
}

/** The chosen values, once a phase-1 quorum has told: those of the highest ballots, as in phase 1. */
export function repaired({ firstInstance, end, found }: Repair): AcceptedEntry[] {
  const entries: AcceptedEntry[] = [];
  found.dropBelow(firstInstance);
  for (const entry of found.from(firstInstance)) {
    if (entry.firstInstance >= end) break;
    const count = Math.min(endOf(entry), end) - entry.firstInstance;
    entries.push({ ...entry, count, batch: sliceBatch(entry.batch, 0, count) });
  }
  return entries;
}
