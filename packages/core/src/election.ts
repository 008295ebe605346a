import { type Ballot, compareBallots, noBallot, sameBallot } from "./ballot.js";

export interface ElectionOptions {
  readonly index: number;
  /** 0: nobody stands for election by itself. */
  readonly leaseMs: number;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
}

/** Failed attempts double the delay before the next one at most so often: then it is up to two leases. */
const doublingsMax = 3;

/**
 * When a proposer that does not lead tries to: once the leader's lease has run out, after a random delay that
 * grows from one failed attempt to the next, so that proposers that duel get out of each other's way.
 *
 * Source: "Paxos Made Simple", section 2.4 (progress needs one distinguished proposer).
 */
export class Election {
  readonly #options: ElectionOptions;
  #leader: Ballot = noBallot;
  #leaderUntil = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** When the next attempt is due, in milliseconds. */
  #at = Number.POSITIVE_INFINITY;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get at(): number {
    return this.#at;
  }

  /** The first attempts are a lease apart, so that the first proposer is not disturbed. */
  start(now: number): void {
    if (this.#options.leaseMs > 0) this.#at = now + this.#options.index * this.#options.leaseMs;
  }

  /** The ballot of the last leader that was heard of. */
  get lastLeader(): Ballot {
    return this.#leader;
  }

  /** A proposer leads in `ballot`, not below the last one; its lease, or what it asked for, ends at `leaseUntil`. */
  heard(ballot: Ballot, leaseUntil: number): void {
    const isSame = compareBallots(ballot, this.#leader) === 0;
    this.#leader = ballot;
    this.#leaderUntil = isSame ? Math.max(this.#leaderUntil, leaseUntil) : leaseUntil;
    this.#failures = 0;
    this.#schedule(this.#leaderUntil);
  }

  /** An attempt has failed, or a leader was replaced; nobody can succeed before `notBefore`. */
  lost(notBefore: number): void {
    this.#failures += 1;
    this.#schedule(notBefore);
  }

  /** Nobody has been heard of who leads, ever or since an attempt to replace the last one. */
  get isAwaited(): boolean {
    return this.#failures > 0 || sameBallot(this.#leader, noBallot);
  }

  /** The ballot of a leader that is alive as far as is known here. */
  leader(now: number): Ballot | undefined {
    return now < this.#leaderUntil ? this.#leader : undefined;
  }

  #schedule(notBefore: number): void {
    const { leaseMs, random } = this.#options;
    if (leaseMs === 0) return;
    const spreadMs = (leaseMs / 4) * 2 ** Math.min(this.#failures, doublingsMax);
    this.#at = notBefore + random() * spreadMs;
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    const failures = this.#options.leaseMs > 0 ? Math.min(this.#failures, doublingsMax) : 0;
    return [this.#leader, this.#leaderUntil, failures, this.#at];
  }
}
