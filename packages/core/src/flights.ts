import { noBallot } from "./ballot.js";
import { type Batch, batchBytes, type Segment, sliceBatch } from "./batch.js";
import { endOf, type InstanceRange } from "./instance-ranges.js";
import type { AcceptedEntry, DigestSource } from "./messages.js";
import { type AcceptorSet, addAcceptor, type QuorumSystem } from "./quorum.js";

/** An Accept that is not known to be chosen yet. */
export interface Flight {
  firstInstance: number;
  batch: Batch;
  readonly source: DigestSource | null;
  /** Proposed for the first time, not because phase 1 found it. */
  readonly isNew: boolean;
  /** Size of the payload when it was sent first. */
  readonly bytes: number;
  accepted: AcceptorSet;
  chosen: boolean;
  sentAt: number;
}

/** The pipeline of one ballot: batches under way, in the order of their instances. */
export class Flights {
  readonly #quorums: QuorumSystem;
  readonly #flights: Flight[] = [];
  #commands = 0;
  #bytes = 0;

  constructor(quorums: QuorumSystem) {
    this.#quorums = quorums;
  }

  get length(): number {
    return this.#flights.length;
  }

  /** Instances under way. */
  get commands(): number {
    return this.#commands;
  }

  /** Payload under way, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  add(flown: Pick<Flight, "firstInstance" | "batch" | "source" | "isNew">, now: number): Flight {
    const { firstInstance, batch, source, isNew } = flown;
    const bytes = batchBytes(batch);
    const flight: Flight = {
      firstInstance,
      batch,
      source,
      isNew,
      bytes,
      accepted: 0,
      chosen: false,
      sentAt: now,
    };
    this.#flights.push(flight);
    this.#bytes += bytes;
    this.#commands += batch.count;
    return flight;
  }

  /** An acceptor has accepted these instances. Returns whether a batch is chosen now. */
  accepted(acceptor: number, range: InstanceRange): boolean {
    // A batch that was cut at its beginning since it was sent still ends where it did.
    const end = endOf(range);
    const flight = this.#flights.find(
      ({ firstInstance, batch }) =>
        range.firstInstance <= firstInstance && end === firstInstance + batch.count,
    );
    if (flight === undefined) return false;
    flight.accepted = addAcceptor(flight.accepted, acceptor);
    if (!this.#quorums.isAcceptQuorum(flight.accepted)) return false;
    flight.chosen = true;
    return true;
  }

  /** Everything below is chosen and must not be proposed any more. */
  forget(below: number): void {
    for (const flight of this.#flights) {
      const skip = below - flight.firstInstance;
      if (skip <= 0) continue;
      if (skip >= flight.batch.count) flight.chosen = true;
      else {
        flight.batch = sliceBatch(flight.batch, skip, flight.batch.count - skip);
        flight.firstInstance = below;
        this.#commands -= skip;
      }
    }
  }

  /** Lets go of what is chosen at the front; returns the end of it, or `chosenBelow` when there is none. */
  dropChosen(chosenBelow: number): number {
    let below = chosenBelow;
    while (this.#flights[0]?.chosen) {
      const { firstInstance, batch, bytes } = this.#flights[0];
      this.#bytes -= bytes;
      below = Math.max(below, firstInstance + batch.count);
      this.#commands -= batch.count;
      this.#flights.shift();
    }
    return below;
  }

  /** Those that have no quorum. */
  get unanswered(): readonly Flight[] {
    return this.#flights.filter(({ chosen }) => !chosen);
  }

  /** When the one was sent that waits longest; infinite when none waits. */
  get oldestSentAt(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { chosen, sentAt } of this.#flights) if (!chosen) oldest = Math.min(oldest, sentAt);
    return oldest;
  }

  /** The batches under way as values for a later ballot, which are worth less than anything that was accepted. */
  asEntries(): AcceptedEntry[] {
    return this.#flights.map(({ firstInstance, batch }) => ({
      ballot: noBallot,
      firstInstance,
      count: batch.count,
      batch,
      source: null,
    }));
  }

  /** What only this proposer may know of, in order. */
  newSegments(): Segment[] {
    return this.#flights.filter(({ isNew }) => isNew).flatMap(({ batch }) => batch.segments);
  }

  /** Everything its future depends on, as plain data, but for when an answer is late; for the explorer. */
  dump(): unknown {
    return this.#flights.map(flight => ({ ...flight, sentAt: 0 }));
  }
}
