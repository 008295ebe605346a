/**
 * The number of one attempt to lead: totally ordered, never used twice, and its proposer can be read from it.
 *
 * Source: Lamport, "Paxos Made Simple", section 2.2 (proposal numbers); "The Part-Time Parliament", section 2.1
 * (ballot numbers, condition B1).
 */
export interface Ballot {
  /** Raised above every ballot that was seen before an attempt starts. */
  readonly round: number;
  /**
   * Which life of the proposer this is. The process hands each number out once, so that a restarted proposer,
   * which has forgotten its rounds, still cannot reuse a ballot.
   */
  readonly incarnation: number;
  /** Index of the proposer that leads under this ballot. */
  readonly proposer: number;
}

/** Below every ballot of every proposer: nothing was promised, nobody leads. */
export const noBallot: Ballot = Object.freeze({ round: 0, incarnation: 0, proposer: -1 });

/** Negative when `a` is below `b`, 0 when they are the same, positive when `a` is above. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.round - b.round || a.incarnation - b.incarnation || a.proposer - b.proposer;
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.round === b.round && a.incarnation === b.incarnation && a.proposer === b.proposer;
}

/** Are both ballots of the same life of the same proposer? */
export function sameProposer(a: Ballot, b: Ballot): boolean {
  return a.incarnation === b.incarnation && a.proposer === b.proposer;
}

/** The lowest ballot of this life of this proposer that is above `seen`. */
export function ballotAbove(seen: Ballot, proposer: number, incarnation: number): Ballot {
  return { round: seen.round + 1, incarnation, proposer };
}

/** `3.7.0`: round, incarnation, proposer. */
export function formatBallot(ballot: Ballot): string {
  return `${ballot.round}.${ballot.incarnation}.${ballot.proposer}`;
}
