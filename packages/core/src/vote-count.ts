import { type Ballot, compareBallots, noBallot, sameBallot } from "./ballot.js";
import { type Batch, sliceBatch } from "./batch.js";
import { endOf, InstanceRanges } from "./instance-ranges.js";
import type { AcceptedEntry, DigestSource } from "./messages.js";
import { type AcceptorSet, addAcceptor, type QuorumSystem } from "./quorum.js";

/** What a learner has been told of consecutive instances in one ballot. */
export interface Tally {
  readonly firstInstance: number;
  readonly count: number;
  readonly voters: AcceptorSet;
  /** Null while only digests have come. */
  readonly batch: Batch | null;
  readonly source: DigestSource | null;
  /** This learner was told as the distinguished one: it tells the others. */
  readonly announce: boolean;
}

/** Chosen values; `announce` as in {@link Tally}. */
export interface ChosenEntry extends AcceptedEntry {
  readonly announce: boolean;
}

/** Two digests of one source batch, or of a value and its source, that differ. */
export interface DigestMismatch {
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly count: number;
  readonly expected: number;
  readonly found: number;
}

interface BallotTallies {
  readonly ballot: Ballot;
  readonly tallies: InstanceRanges<Tally>;
}

const sliceTally = (tally: Tally, skip: number, count: number): Tally => ({
  ...tally,
  firstInstance: tally.firstInstance + skip,
  count,
  batch: tally.batch && sliceBatch(tally.batch, skip, count),
});

/**
 * Counts who has accepted, by ballot and instance. Votes of different ballots never add up, even for equal values.
 *
 * Source: "Paxos Made Simple", section 2.3.
 */
export class VoteCount {
  readonly #quorums: QuorumSystem;
  /** In the order of their ballots. */
  #ballots: BallotTallies[] = [];

  constructor(quorums: QuorumSystem) {
    this.#quorums = quorums;
  }

  /** Adds what was told in `ballot`. Returns a vote's digest that differs from what is known; it is not counted. */
  add(ballot: Ballot, told: Tally): DigestMismatch | undefined {
    let mismatch: DigestMismatch | undefined;
    this.#talliesOf(ballot).put(told, (known, incoming) => {
      const [expected, found] = [known.source, incoming.source];
      if (expected !== null && found !== null && differ(expected, found)) {
        const { firstInstance, count } = incoming;
        mismatch = { ballot, firstInstance, count, expected: expected.digest, found: found.digest };
        return known;
      }
      return {
        firstInstance: known.firstInstance,
        count: known.count,
        voters: known.voters | incoming.voters,
        batch: known.batch ?? incoming.batch,
        source: expected ?? found,
        announce: known.announce || incoming.announce,
      };
    });
    return mismatch;
  }

  /** What is chosen of these instances, as far as the values are known. */
  chosen(from: number, end: number): ChosenEntry[] {
    const found: ChosenEntry[] = [];
    for (const { ballot, tallies } of this.#ballots) {
      for (const tally of tallies.from(from)) {
        if (tally.firstInstance >= end) break;
        if (!this.#quorums.isAcceptQuorum(tally.voters)) continue;
        const { firstInstance, count, batch, source, announce } = tally;
        if (batch !== null) found.push({ ballot, firstInstance, count, batch, source, announce });
        else found.push(...this.#valuesAbove(ballot, tally));
      }
    }
    return found;
  }

  /** Learned, so that nothing below counts any more. */
  dropBelow(instance: number): void {
    for (const { tallies } of this.#ballots) tallies.dropBelow(instance);
    if (this.#ballots.length === 1) return;
    const highest = this.#ballots.at(-1)?.ballot ?? noBallot;
    this.#ballots = this.#ballots.filter(
      ({ ballot, tallies }) => tallies.length > 0 || sameBallot(ballot, highest),
    );
  }

  /** What was proposed above the ballot that chose a value is that value: any such copy will do. */
  #valuesAbove(ballot: Ballot, chosen: Tally): ChosenEntry[] {
    const found: ChosenEntry[] = [];
    for (const higher of this.#ballots) {
      if (compareBallots(higher.ballot, ballot) <= 0) continue;
      for (const copy of higher.tallies.from(chosen.firstInstance)) {
        if (copy.firstInstance >= endOf(chosen)) break;
        if (copy.batch === null || copy.voters === 0) continue;
        const first = Math.max(copy.firstInstance, chosen.firstInstance);
        const count = Math.min(endOf(copy), endOf(chosen)) - first;
        const batch = sliceBatch(copy.batch, first - copy.firstInstance, count);
        found.push({ ...chosen, ballot, firstInstance: first, count, batch });
      }
    }
    return found;
  }

  #talliesOf(ballot: Ballot): InstanceRanges<Tally> {
    let at = this.#ballots.length;
    for (; at > 0; at--) {
      const known = this.#ballots[at - 1] as BallotTallies;
      const order = compareBallots(known.ballot, ballot);
      if (order === 0) return known.tallies;
      if (order < 0) break;
    }
    const tallies = new InstanceRanges<Tally>(sliceTally);
    this.#ballots.splice(at, 0, { ballot, tallies });
    return tallies;
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return this.#ballots.map(({ ballot, tallies }) => [ballot, [...tallies.from(0)]]);
  }
}

/** One acceptor's vote, or nobody's: a value that was told without one. */
export function votersOf(acceptor: number | undefined): AcceptorSet {
  return acceptor === undefined ? 0 : addAcceptor(0, acceptor);
}

/** Digests of different source batches say nothing about each other. */
function differ(a: DigestSource, b: DigestSource): boolean {
  return a.firstInstance === b.firstInstance && a.count === b.count && a.digest !== b.digest;
}
