import { limits } from "./limits.js";
import { type Address, type Envelope, probeId, type ReadReadyMessage } from "./messages.js";

interface ReadRequest {
  readonly from: Address;
  readonly id: number;
  /** Taken when the request came: everything that was acknowledged before is below. */
  readonly readBelow: number;
  /** The round of heartbeats that shows that this proposer still led; 0 while it was not sent. */
  round: number;
}

/** What a leader says to every reader. */
type Said = Pick<ReadReadyMessage, "ballot" | "storageFull">;

/**
 * Reads that wait at a leader without a lease, for a round of heartbeats that is sent after they came. A round that
 * was sent before proves nothing: another leader may have committed in between.
 *
 * Source: Ongaro, "Consensus: Bridging Theory and Practice", section 6.4 (the read index).
 */
export class ReadRequests {
  #waiting: ReadRequest[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** Does a request wait for a round that has not been sent? */
  get wantsRound(): boolean {
    return this.#waiting.at(-1)?.round === 0;
  }

  /** False when there is no room. One probe of a client is enough: the answer to it answers the later ones. */
  add(from: Address, id: number, readBelow: number): boolean {
    if (id === probeId && this.#waiting.some(request => request.id === probeId && request.from === from))
      return true;
    if (this.#waiting.length >= limits.waitingReadsMax) return false;
    this.#waiting.push({ from, id, readBelow, round: 0 });
    return true;
  }

  /** A round is sent now: everything that waits may join it. */
  roundSent(round: number): void {
    for (let at = this.#waiting.length - 1; at >= 0; at--) {
      const request = this.#waiting[at]!;
      if (request.round > 0) return;
      request.round = round;
    }
  }

  /** A quorum has answered this round, and with it all before. */
  answered(round: number, said: Said): Envelope[] {
    return this.#take(said, request => request.round > 0 && request.round <= round);
  }

  /** The lease holds. */
  answerAll(said: Said): Envelope[] {
    return this.#take(said, () => true);
  }

  /** Whoever waits must ask elsewhere. */
  clear(): Set<Address> {
    const clients = new Set(this.#waiting.map(({ from }) => from));
    this.#waiting = [];
    return clients;
  }

  /** The leader prepares again: what waits is as if it had come now. */
  takeAll(): { readonly from: Address; readonly id: number }[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #take(said: Said, isReady: (request: ReadRequest) => boolean): Envelope[] {
    const ready = this.#waiting.filter(isReady);
    if (ready.length === 0) return [];
    this.#waiting = this.#waiting.filter(request => !isReady(request));
    return ready.map(({ from, id, readBelow }) => ({
      to: [from],
      message: { type: "readReady", id, readBelow, ...said },
    }));
  }

  /** Everything its future depends on, as plain data; for the explorer. */
  dump(): unknown {
    return this.#waiting;
  }
}
