import { batchBytes } from "./batch.js";
import { endOf } from "./instance-ranges.js";
import { Learner, type LearnerReady } from "./learner.js";
import { limits } from "./limits.js";
import type { Address, ChosenMessage, Envelope, Message } from "./messages.js";
import type { DigestOf } from "./proposer-options.js";
import type { QuorumSystem } from "./quorum.js";
import { actorAddress, addressesOf, type Topology } from "./roles.js";

export interface ObserverOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  /** Index of the learner that is asked first to feed it. */
  readonly feeder: number;
  /** How long a gap may stand before the acceptors are asked to tell again, in milliseconds. */
  readonly fetchAfterMs: number;
  /** As the proposers have it. */
  readonly digest?: DigestOf;
}

/** No learner has this index: nobody names an observer, and it tells nobody what is chosen. */
const noLearner = Number.MAX_SAFE_INTEGER;

/**
 * The protocol half of a replica in a user's thread: a learner that counts for nothing. One of the real learners feeds
 * it. What it misses, it fetches from the acceptors and counts itself; what is trimmed, its host takes from a
 * snapshot. It counts in no quorum, pins nothing, and nobody waits for it. It says only two things of itself: that it is
 * there, and that it is stuck.
 */
export class Observer {
  readonly #learner: Learner;
  readonly #learners: readonly Address[];
  #feeder: number;
  #appliedBelow = 0;
  #followAt: number;
  /** Since when the feeder owes an answer, and what was applied here then; infinite when it owes none. */
  #askedAt = Number.POSITIVE_INFINITY;
  #askedBelow = 0;
  #toldBelow: number | undefined;
  /** The bytes of what came while something below was missing, and where it ends. */
  #aheadBytes = 0;
  #aheadEnd = 0;
  #isHeld = false;
  #send: Envelope[] = [];

  constructor({ topology, feeder, ...options }: ObserverOptions, now: number) {
    const alone = { ...topology, learners: 0 };
    this.#learner = new Learner({ ...options, topology: alone, index: noLearner });
    this.#learners = addressesOf("learner", topology.learners);
    this.#feeder = feeder;
    this.#followAt = now;
  }

  /** Every instance below is known to be chosen and was handed on. */
  get chosenBelow(): number {
    return this.#learner.chosenBelow;
  }

  /** The acceptors have forgotten what is below: without it a snapshot is needed. */
  get trimmedBelow(): number {
    return this.#learner.trimmedBelow;
  }

  /** Everything below was chosen when a learner said so last; undefined before any has. */
  get toldBelow(): number | undefined {
    return this.#toldBelow;
  }

  /** The learner that feeds it. */
  get feeder(): Address {
    return actorAddress("learner", this.#feeder);
  }

  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "followed":
        return this.#onFollowed(from, message.chosenBelow, now);
      case "chosen":
        if (this.#isTooMuch(message)) return;
        if (from === this.feeder) this.#hasAnswered();
        break;
    }
    this.#learner.receive(from, message, now);
  }

  /** Everything below is applied by the host. */
  applied(below: number): void {
    this.#appliedBelow = below;
  }

  /** The host has no room for what could be fetched. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /** Somebody waits for what has been proposed below. */
  expect(end: number, now: number): void {
    this.#learner.expect(end, now);
  }

  /** A snapshot holds everything below: what it holds is not waited for any more. */
  restored(below: number, now: number): void {
    this.#learner.restored(below, now);
  }

  tick(now: number): void {
    if (!this.#isHeld) this.#learner.tick(now);
    if (now >= this.#followAt) this.#follow(now);
  }

  /** When {@link tick} wants to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    return this.#isHeld ? this.#followAt : Math.min(this.#learner.deadline, this.#followAt);
  }

  takeReady(): LearnerReady {
    const ready = this.#learner.takeReady();
    // Progress is what trimming and distinguished learners go by. That it is stuck is all that proposers need to know.
    const learned = ready.send.filter(({ message }) => message.type !== "progress" || message.stuck);
    const send = this.#send.length === 0 ? learned : [...this.#send, ...learned];
    this.#send = [];
    return { ...ready, send };
  }

  #onFollowed(from: Address, chosenBelow: number, now: number): void {
    this.#toldBelow = Math.max(this.#toldBelow ?? 0, chosenBelow);
    if (from === this.feeder) {
      // It knows less than this observer had applied when it asked: others are further.
      if (chosenBelow < this.#askedBelow) this.#tryNext(now);
      else this.#hasAnswered();
    }
    // What the feeder has not sent, since it did not know of this observer or found no room, is fetched.
    this.#learner.told(chosenBelow, now);
  }

  #follow(now: number): void {
    if (now - this.#askedAt >= limits.followedWithinMs) return this.#tryNext(now);
    if (this.#askedAt === Number.POSITIVE_INFINITY) {
      this.#askedAt = now;
      this.#askedBelow = this.#appliedBelow;
    }
    this.#followAt = now + limits.followEveryMs;
    const appliedBelow = this.#appliedBelow;
    const others = this.#learners.filter((_, index) => index !== this.#feeder);
    this.#send.push({ to: [this.feeder], message: { type: "follow", appliedBelow, feed: true } });
    if (others.length > 0)
      this.#send.push({ to: others, message: { type: "follow", appliedBelow, feed: false } });
  }

  #tryNext(now: number): void {
    this.#feeder = (this.#feeder + 1) % this.#learners.length;
    this.#hasAnswered();
    this.#follow(now);
  }

  #hasAnswered(): void {
    this.#askedAt = Number.POSITIVE_INFINITY;
  }

  /** While something below is missing, no more is kept than a thread of somebody else's can spare. */
  #isTooMuch(message: ChosenMessage): boolean {
    const { chosenBelow } = this.#learner;
    if (chosenBelow >= this.#aheadEnd) this.#aheadBytes = 0;
    if (message.firstInstance <= chosenBelow) return false;
    if (this.#aheadBytes >= limits.observerAheadBytesMax) return true;
    this.#aheadBytes += batchBytes(message.batch) + limits.entryOverheadBytes;
    this.#aheadEnd = Math.max(this.#aheadEnd, endOf(message));
    return false;
  }
}
