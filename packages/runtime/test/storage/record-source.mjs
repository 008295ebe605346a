/**
 * Records as an acceptor makes them, at random: what its proposers send in rising ballots, in any order, with
 * overlaps and gaps, and never below what is trimmed. The same chance and the same state give the same records.
 *
 * @typedef {import("@synod/core").AcceptorRecord} AcceptorRecord
 * @typedef {import("@synod/core").AcceptorState} AcceptorState
 * @typedef {import("@synod/core").Segment} Segment
 */

/** How many instances above the trim mark are kept before a trim is due. */
const retainedInstances = 80;

export class RecordSource {
  #random;
  #round;
  #trimmedBelow;
  #top;

  /**
   * @param {(end: number) => number} random an integer from 0 up to, and not with, `end`
   * @param {AcceptorState | undefined} state what a former life left behind
   * @param {number} firstInstance where a first life begins
   */
  constructor(random, state, firstInstance) {
    this.#random = random;
    this.#round = state?.promised.round ?? 1;
    this.#trimmedBelow = state?.trimmedBelow ?? 0;
    const last = state?.accepted.at(-1);
    this.#top = Math.max(
      last === undefined ? 0 : last.firstInstance + last.count,
      this.#trimmedBelow,
      firstInstance,
    );
  }

  /** What one call of persist is given. @returns {AcceptorRecord[]} */
  next() {
    return Array.from({ length: 1 + this.#random(3) }, () => this.#record());
  }

  /** @returns {AcceptorRecord} */
  #record() {
    const random = this.#random;
    const kind = random(10);
    if (kind < 6) return this.#accept();
    if (random(4) === 0) this.#round += 1;
    const ballot = this.#ballot();
    if (kind === 6) return { kind: "promise", ballot };
    if (kind === 7) return { kind: "lease", ballot, leaseUntil: random(1e6) / 8 };
    const step = random(retainedInstances / 4);
    this.#trimmedBelow = Math.max(this.#trimmedBelow + step, this.#top - retainedInstances);
    this.#top = Math.max(this.#top, this.#trimmedBelow);
    return { kind: "trim", below: this.#trimmedBelow };
  }

  /** @returns {AcceptorRecord} */
  #accept() {
    const random = this.#random;
    if (random(8) === 0) this.#round += 1;
    const isInOrder = random(3) > 0;
    const firstInstance = isInOrder ? this.#top : Math.max(this.#trimmedBelow, this.#top - 8 + random(16));
    const segments = Array.from({ length: 1 + random(3) }, () => this.#segment());
    const count = segments.reduce((sum, segment) => sum + segment.count, 0);
    this.#top = Math.max(this.#top, firstInstance + count);
    const source = random(2) === 0 ? null : { firstInstance, count, digest: random(2 ** 32) };
    const batch = { timeMs: random(1e6) / 4, count, segments };
    const entry = { ballot: this.#ballot(), firstInstance, count, batch, source };
    return { kind: "accept", entry, leaseUntil: random(1e6) / 8 };
  }

  #ballot() {
    return { round: this.#round, incarnation: this.#round % 5, proposer: this.#round % 2 };
  }

  /** @returns {Segment} */
  #segment() {
    const random = this.#random;
    const count = 1 + random(4);
    const client = random(9);
    const session = 2 ** 32 + random(9);
    const answerer = random(2);
    const firstSequence = 2 ** 32 - 5 + random(10);
    const range = { session, firstSequence, count, acknowledgedBelow: firstSequence - random(3), answerer };
    switch (random(9)) {
      case 0:
        return { kind: "noop", count };
      case 1:
        return { kind: "open", client, count: 1, answerer };
      case 2:
        return { kind: "close", client, session, count: 1 };
      case 3:
        return { kind: "keepAlive", client, session, count: 1, answerer };
      case 4:
        return { kind: "fill", client, ...range };
      default: {
        const bytes = new Uint8Array(random(random(10) === 0 ? 4000 : 200)).fill(random(256));
        return { kind: "commands", client, ...range, skip: random(3), bytes };
      }
    }
  }
}
