import { assert } from "./assert.js";

/** A set of acceptors, one bit per index. At most {@link acceptorsMax} of them. */
export type AcceptorSet = number;

/** As many acceptors as a bit set in a small integer can name. */
export const acceptorsMax = 30;

export function addAcceptor(set: AcceptorSet, acceptor: number): AcceptorSet {
  return set | (1 << acceptor);
}

export function hasAcceptor(set: AcceptorSet, acceptor: number): boolean {
  return (set & (1 << acceptor)) !== 0;
}

/** The acceptors out of `acceptors` that are not in `set`. */
export function withoutAcceptors(acceptors: number, set: AcceptorSet): AcceptorSet {
  return ((1 << acceptors) - 1) & ~set;
}

export function countAcceptors(set: AcceptorSet): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/**
 * Which sets of acceptors are enough, asked separately for the two phases: all that safety needs is that every
 * phase-1 quorum meets every phase-2 quorum.
 *
 * Source: Howard, Malkhi, Spiegelman, "Flexible Paxos: Quorum Intersection Revisited", section 3.
 */
export interface QuorumSystem {
  readonly acceptors: number;
  /** Do these acceptors' promises allow a value to be proposed? */
  isPrepareQuorum(promised: AcceptorSet): boolean;
  /** Is a value chosen that these acceptors have accepted in one ballot? */
  isAcceptQuorum(accepted: AcceptorSet): boolean;
}

export interface QuorumSizes {
  readonly prepare: number;
  readonly accept: number;
}

/** Majorities for both phases. */
export function majorities(acceptors: number): QuorumSizes {
  const majority = Math.floor(acceptors / 2) + 1;
  return { prepare: majority, accept: majority };
}

/** Do any `prepare` acceptors and any `accept` acceptors out of `acceptors` always share one? */
export function quorumsIntersect(acceptors: number, sizes: QuorumSizes): boolean {
  return sizes.prepare + sizes.accept > acceptors;
}

/** Quorums by size: any `prepare` acceptors for phase 1, any `accept` acceptors for phase 2. */
export class ThresholdQuorums implements QuorumSystem {
  readonly acceptors: number;
  readonly #sizes: QuorumSizes;

  constructor(acceptors: number, sizes: QuorumSizes = majorities(acceptors)) {
    assert(acceptors >= 1 && acceptors <= acceptorsMax, `between 1 and ${acceptorsMax} acceptors`);
    for (const size of [sizes.prepare, sizes.accept]) {
      assert(size >= 1 && size <= acceptors, "a quorum holds at least one and at most all acceptors");
    }
    assert(quorumsIntersect(acceptors, sizes), "every phase-1 quorum meets every phase-2 quorum");
    this.acceptors = acceptors;
    this.#sizes = sizes;
  }

  isPrepareQuorum(promised: AcceptorSet): boolean {
    return countAcceptors(promised) >= this.#sizes.prepare;
  }

  isAcceptQuorum(accepted: AcceptorSet): boolean {
    return countAcceptors(accepted) >= this.#sizes.accept;
  }
}
