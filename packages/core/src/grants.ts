import { limits } from "./limits.js";
import { type AcceptorSet, addAcceptor, type QuorumSystem } from "./quorum.js";

/**
 * What the acceptors have granted a leader: until when each of them refuses others, and which round of heartbeats
 * each of them has answered.
 */
export class Grants {
  readonly #quorums: QuorumSystem;
  readonly #earlierUntil: number;
  readonly #until: number[];
  readonly #round: number[];

  /**
   * A lease that an earlier ballot of the same life had until `earlierUntil` still holds. Its single grants do not
   * count with those of this ballot: between the two another proposer may have been elected, and have been granted
   * the lease by some of the same acceptors.
   */
  constructor(quorums: QuorumSystem, earlierUntil = Number.NEGATIVE_INFINITY) {
    this.#quorums = quorums;
    this.#earlierUntil = earlierUntil;
    this.#until = new Array<number>(quorums.acceptors).fill(0);
    this.#round = new Array<number>(quorums.acceptors).fill(0);
  }

  granted(acceptor: number, leaseUntil: number, round = 0): void {
    this.#until[acceptor] = Math.max(this.#until[acceptor] ?? 0, leaseUntil);
    this.#round[acceptor] = Math.max(this.#round[acceptor] ?? 0, round);
  }

  /**
   * The lease holds before this time: a phase-2 quorum refuses others at least so long, and it meets every
   * phase-1 quorum that another proposer would need.
   */
  get leaseUntil(): number {
    return Math.max(this.#earlierUntil, this.#reachedByQuorum(this.#until) - limits.clockSkewMs);
  }

  /** The latest round that a phase-2 quorum has answered. */
  get round(): number {
    return this.#reachedByQuorum(this.#round);
  }

  /** The highest value that every acceptor of some phase-2 quorum has reached; 0 when there is none. */
  #reachedByQuorum(values: readonly number[]): number {
    const order = values.map((_, acceptor) => acceptor).sort((a, b) => values[b]! - values[a]!);
    let reached: AcceptorSet = 0;
    for (const acceptor of order) {
      reached = addAcceptor(reached, acceptor);
      if (this.#quorums.isAcceptQuorum(reached)) return values[acceptor]!;
    }
    return 0;
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return [this.#until, this.#round, `${this.#earlierUntil}`];
  }
}
