import { type Ballot, batchBytes, type Envelope, type Proposer, sameBallot } from "@synod/core";
import type { ActorMetrics, Counter } from "./actor-metrics.js";
import type { Histogram } from "./histogram.js";

/** Batches whose end is waited for; of more none is timed. A pipeline is shorter. */
const batchesTimed = 4096;

/** Counts and times what a proposer does by what it sends: core knows nothing of it. */
export class LeaderMeter {
  readonly #ballots: Counter;
  readonly #elections: Counter;
  readonly #batchCommands: Histogram;
  readonly #batchBytes: Histogram;
  readonly #queueMs: Histogram;
  readonly #chooseMs: Histogram;
  /** One command at a time is timed: how many are taken before it, and when it came; infinite without one. */
  #timedAt = Number.POSITIVE_INFINITY;
  #timedSinceMs = 0;
  /** Commands that were taken from the queue. */
  #taken = 0;
  #preparedIn: Ballot | undefined;
  #electedIn: Ballot | undefined;
  /** The end of what was proposed: what is sent below it was proposed before, here or by another leader. */
  #proposedBelow = 0;
  /** Batches that are under way, in order. */
  readonly #ends: number[] = [];
  readonly #sentAt: number[] = [];

  constructor(metrics: ActorMetrics) {
    this.#ballots = metrics.counter("ballots");
    this.#elections = metrics.counter("elections");
    this.#batchCommands = metrics.histogram("batchCommands");
    this.#batchBytes = metrics.histogram("batchBytes");
    this.#queueMs = metrics.histogram("queueMs");
    this.#chooseMs = metrics.histogram("chooseMs");
  }

  /** Commands have come: so many wait now. */
  queued(commands: number, now: number): void {
    if (this.#timedAt < Number.POSITIVE_INFINITY || commands === 0) return;
    this.#timedAt = this.#taken + commands;
    this.#timedSinceMs = now;
  }

  /** The proposer has given out `send`; before that, so many commands waited. */
  flushed(proposer: Proposer, queuedBefore: number, send: readonly Envelope[], now: number): void {
    if (proposer.state === "leading") {
      this.#leads(proposer.ballot, proposer.chosenBelow, now);
      this.#took(queuedBefore - proposer.queuedCommands, now);
    } else this.#forgetAll();
    for (const { message } of send) {
      if (message.type === "prepare") this.#prepares(message.ballot);
      if (message.type !== "accept" || message.firstInstance < this.#proposedBelow) continue;
      const { firstInstance, batch } = message;
      this.#proposedBelow = firstInstance + batch.count;
      this.#batchCommands.record(batch.count);
      this.#batchBytes.record(batchBytes(batch));
      if (this.#ends.length >= batchesTimed) continue;
      this.#ends.push(this.#proposedBelow);
      this.#sentAt.push(now);
    }
  }

  #leads(ballot: Ballot, chosenBelow: number, now: number): void {
    if (this.#electedIn === undefined || !sameBallot(ballot, this.#electedIn)) {
      this.#electedIn = ballot;
      this.#elections.add(1);
    }
    while (this.#ends.length > 0 && (this.#ends[0] as number) <= chosenBelow) {
      this.#ends.shift();
      this.#chooseMs.record(now - (this.#sentAt.shift() as number));
    }
  }

  #took(commands: number, now: number): void {
    this.#taken += commands;
    if (this.#taken < this.#timedAt) return;
    this.#queueMs.record(now - this.#timedSinceMs);
    this.#timedAt = Number.POSITIVE_INFINITY;
  }

  #prepares(ballot: Ballot): void {
    // A Prepare is sent again, and to repair what a learner lacks.
    if (this.#preparedIn !== undefined && sameBallot(ballot, this.#preparedIn)) return;
    this.#preparedIn = ballot;
    this.#ballots.add(1);
  }

  /** Whoever does not lead hands on what waits, or keeps it until it does. */
  #forgetAll(): void {
    this.#timedAt = Number.POSITIVE_INFINITY;
    if (this.#ends.length === 0) return;
    this.#ends.length = 0;
    this.#sentAt.length = 0;
  }
}
