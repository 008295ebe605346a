import { entriesFrom } from "./accepted-log.js";
import { assert } from "./assert.js";
import { type Ballot, compareBallots, noBallot } from "./ballot.js";
import { type Batch, sliceBatch } from "./batch.js";
import { Followers } from "./followers.js";
import { endOf, InstanceRanges } from "./instance-ranges.js";
import { limits } from "./limits.js";
import {
  type AcceptedEntry,
  type AcceptedMessage,
  type AcceptMessage,
  type Address,
  type ChosenMessage,
  type DigestSource,
  type Envelope,
  type FollowMessage,
  type HeartbeatMessage,
  type Message,
  unpinned,
} from "./messages.js";
import type { DigestOf } from "./proposer-options.js";
import type { QuorumSystem } from "./quorum.js";
import { addressesOf, indexOf, type Topology } from "./roles.js";
import { type ChosenEntry, type DigestMismatch, VoteCount, votersOf } from "./vote-count.js";

export interface LearnerOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  readonly index: number;
  /** How long a gap may stand before the acceptors are asked to tell again, in milliseconds. */
  readonly fetchAfterMs: number;
  /** As the proposers have it. */
  readonly digest?: DigestOf;
}

export interface LearnerReady {
  /** Values in the order of their instances, each instance once. */
  readonly chosen: readonly AcceptedEntry[];
  readonly send: readonly Envelope[];
  /** Values that were not what their digests say. They were not used. */
  readonly mismatches: readonly DigestMismatch[];
  /**
   * Acceptors have forgotten what comes next: a snapshot at or above this instance is needed. Said as long as it is so.
   */
  readonly snapshotWanted: number | undefined;
}

/** What is told of instances that are not learned yet. */
interface Told {
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly batch: Batch | null;
  readonly source: DigestSource | null;
  readonly count: number;
}

const sliceChosen = (entry: ChosenEntry, skip: number, count: number): ChosenEntry => ({
  ...entry,
  firstInstance: entry.firstInstance + skip,
  count,
  batch: sliceBatch(entry.batch, skip, count),
});

/**
 * Finds out what was chosen, and hands values on in order. A distinguished learner is told by the acceptors and
 * tells the others.
 *
 * Source: "Paxos Made Simple", section 2.3.
 */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #acceptors: readonly Address[];
  readonly #proposers: readonly Address[];
  readonly #others: readonly Address[];
  readonly #votes: VoteCount;
  readonly #followers = new Followers();
  /** Chosen, but something below is not known yet. */
  readonly #waiting = new InstanceRanges<ChosenEntry>(sliceChosen);
  #chosenBelow: number;
  /** The end of what has been heard of, and of what a leader knows to be chosen. */
  #seenEnd = 0;
  #toldChosenBelow = 0;
  #trimmedBelow = 0;
  /** What this learner says of snapshots, to those who trim. */
  #trimBelow = 0;
  #pinnedAt = unpinned;
  /** The highest ballot of a leader's heartbeat, and whether it names this learner. */
  #leader: Ballot = noBallot;
  #isDistinguished = false;
  /** When the present gap is asked for; infinite while there is none. */
  #fetchAt = Number.POSITIVE_INFINITY;
  /** It has asked and lags still: what comes is the answer, and the next question need not wait for long. */
  #isCatchingUp = false;
  /** Times that this was done since anything was learned. */
  #fetchesInVain = 0;
  /** How far it has asked. */
  #fetchingBelow = 0;
  #reportedBelow = 0;
  #reportAt = Number.POSITIVE_INFINITY;
  #chosen: AcceptedEntry[] = [];
  #send: Envelope[] = [];
  #mismatches: DigestMismatch[] = [];

  /** Values below `chosenBelow` are known already, for instance from a snapshot. */
  constructor(options: LearnerOptions, chosenBelow = 0) {
    const { topology, index } = options;
    this.#options = options;
    this.#acceptors = addressesOf("acceptor", topology.acceptors);
    this.#proposers = addressesOf("proposer", topology.proposers);
    this.#others = addressesOf("learner", topology.learners).filter((_, other) => other !== index);
    this.#votes = new VoteCount(options.quorums);
    this.#chosenBelow = chosenBelow;
  }

  /** The learner lives. It says how far it is: a leader may believe what a former life has said, and tell it nothing. */
  start(now: number): void {
    this.#report(now);
  }

  /** Every instance below is known to be chosen and was handed on. */
  get chosenBelow(): number {
    return this.#chosenBelow;
  }

  /** The ballot of the leader that was heard of last. */
  get leader(): Ballot {
    return this.#leader;
  }

  /** The acceptors have forgotten what is below: a learner that has not learned it needs a snapshot. */
  get trimmedBelow(): number {
    return this.#trimmedBelow;
  }

  /** It has asked acceptors for what it misses and has not learned all of that yet, or it knows what comes behind. */
  get isFetching(): boolean {
    return this.#chosenBelow < this.#fetchingBelow || this.#waiting.length > 0;
  }

  /** There may be observers that it feeds, or that ask it how far it is. */
  get hasFollowers(): boolean {
    return this.#followers.size > 0;
  }

  /** Observers that were heard of lately, and how much they have applied. */
  followers(now: number): ReadonlyMap<Address, number> {
    return this.#followers.applied(now);
  }

  /** Everything below is chosen, as somebody knows who has learned it. */
  told(chosenBelow: number, now: number): void {
    this.#toldChosenBelow = Math.max(this.#toldChosenBelow, chosenBelow);
    this.expect(chosenBelow, now);
  }

  /** The log has been proposed up to there, chosen or not: what of it does not come is asked for. */
  expect(end: number, now: number): void {
    this.#seenEnd = Math.max(this.#seenEnd, end);
    this.#watchGap(now);
  }

  /** This learner has published a snapshot that holds everything below, and may be relied on. */
  published(trimBelow: number): void {
    if (trimBelow <= this.#trimBelow) return;
    this.#trimBelow = trimBelow;
    this.#sendProgress(false);
  }

  /** A snapshot at `instance` is being restored: the log from there on will be needed. `undefined`: not any more. */
  pin(instance: number | undefined, now: number): void {
    this.#pinnedAt = instance ?? unpinned;
    this.#report(now);
  }

  /** A snapshot was restored that holds everything below: what it holds is not waited for any more. */
  restored(below: number, now: number): void {
    this.#chosen = entriesFrom(this.#chosen, below);
    if (below <= this.#chosenBelow) return;
    this.#chosenBelow = below;
    this.#waiting.dropBelow(below);
    this.#votes.dropBelow(below);
    this.#fetchesInVain = 0;
    this.#fetch(now);
    this.#handOn(now);
  }

  receive(from: Address, message: Message, now: number): void {
    switch (message.type) {
      case "accepted":
        return this.#onAccepted(indexOf("acceptor", from), message, now);
      case "accept":
        return this.#onValue(message, now);
      case "chosen":
        return this.#onChosen(message, now);
      case "heartbeat":
        return this.#onHeartbeat(message, now);
      case "follow":
        return this.#onFollow(from, message, now);
      case "trimmed":
        this.#trimmedBelow = Math.max(this.#trimmedBelow, message.trimmedBelow);
        return;
      default:
        assert(false, `a learner's protocol half is never sent ${message.type}`);
    }
  }

  /** Asks for what is missing and reports progress; call it when {@link deadline} has come. */
  tick(now: number): void {
    if (now >= this.#fetchAt) this.#fetch(now);
    if (now >= this.#reportAt) this.#report(now);
  }

  /** When {@link tick} wants to be called, in milliseconds of `now`'s clock. */
  get deadline(): number {
    return Math.min(this.#fetchAt, this.#reportAt);
  }

  takeReady(): LearnerReady {
    const snapshotWanted = this.#trimmedBelow > this.#chosenBelow ? this.#trimmedBelow : undefined;
    const ready = { chosen: this.#chosen, send: this.#send, mismatches: this.#mismatches, snapshotWanted };
    this.#chosen = [];
    this.#send = [];
    this.#mismatches = [];
    return ready;
  }

  #onAccepted(acceptor: number, message: AcceptedMessage, now: number): void {
    assert(acceptor >= 0, "only acceptors say Accepted");
    this.#onTold(message, acceptor, message.distinguished === this.#options.index, now);
  }

  /** With digests the leader tells the values. It is nobody's vote. */
  #onValue({ ballot, firstInstance, batch, source }: AcceptMessage, now: number): void {
    this.#onTold({ ballot, firstInstance, count: batch.count, batch, source }, undefined, false, now);
  }

  #onTold(told: Told, acceptor: number | undefined, announce: boolean, now: number): void {
    if (!this.#isAwaited(told)) return;
    const { ballot, source } = told;
    const end = endOf(told);
    const skip = Math.max(0, this.#chosenBelow - told.firstInstance);
    const firstInstance = told.firstInstance + skip;
    const count = told.count - skip;
    const checked = told.batch !== null && this.#isWhatItsDigestSays(told, told.batch) ? told.batch : null;
    const batch = checked && sliceBatch(checked, skip, count);
    const voters = votersOf(acceptor);
    const mismatch = this.#votes.add(ballot, { firstInstance, count, voters, batch, source, announce });
    if (mismatch !== undefined) this.#mismatches.push(mismatch);
    for (const entry of this.#votes.chosen(firstInstance, end)) this.#waiting.put(entry, known => known);
    this.#handOn(now);
  }

  /** A distinguished learner has counted a quorum of this ballot. */
  #onChosen({ ballot, firstInstance, count, batch }: ChosenMessage, now: number): void {
    if (!this.#isAwaited({ firstInstance, count })) return;
    this.#waiting.put({ ballot, firstInstance, count, batch, source: null, announce: false }, known => known);
    this.#handOn(now);
  }

  #onHeartbeat({ ballot, chosenBelow, distinguished }: HeartbeatMessage, now: number): void {
    if (compareBallots(ballot, this.#leader) >= 0) {
      this.#leader = ballot;
      const isNamed = distinguished === this.#options.index;
      // What the acceptors told its predecessor only is lost to it.
      if (isNamed && !this.#isDistinguished) this.#fetch(now);
      this.#isDistinguished = isNamed;
    }
    this.told(chosenBelow, now);
  }

  /** What the observer misses below, it fetches itself: nothing is remembered for it here. */
  #onFollow(from: Address, message: FollowMessage, now: number): void {
    this.#followers.heard(from, message, now);
    this.#send.push({ to: [from], message: { type: "followed", chosenBelow: this.#chosenBelow } });
  }

  #isAwaited(range: { readonly firstInstance: number; readonly count: number }): boolean {
    const end = endOf(range);
    if (end <= this.#chosenBelow || end > this.#chosenBelow + limits.learnerAheadInstancesMax) return false;
    this.#seenEnd = Math.max(this.#seenEnd, end);
    return true;
  }

  /** Only a whole source batch can be compared with its digest, not a part of it. */
  #isWhatItsDigestSays({ ballot, firstInstance, count, source }: Told, batch: Batch): boolean {
    const { digest } = this.#options;
    if (digest === undefined || source === null) return true;
    if (source.firstInstance !== firstInstance || source.count !== count) return true;
    const found = digest(batch);
    if (found === source.digest) return true;
    this.#mismatches.push({ ballot, firstInstance, count, expected: source.digest, found });
    return false;
  }

  /** Hands on what is chosen without a gap below it. */
  #handOn(now: number): void {
    const before = this.#chosenBelow;
    const fed = this.#followers.fed(now);
    for (;;) {
      const next = this.#waiting.first();
      if (next === undefined || next.firstInstance > this.#chosenBelow) break;
      this.#waiting.shift();
      const skip = this.#chosenBelow - next.firstInstance;
      if (skip >= next.count) continue;
      const entry = skip === 0 ? next : sliceChosen(next, skip, next.count - skip);
      this.#chosen.push(entry);
      this.#announce(entry, fed);
      this.#chosenBelow = endOf(next);
    }
    if (this.#chosenBelow > before) {
      this.#votes.dropBelow(this.#chosenBelow);
      if (this.#chosenBelow - this.#reportedBelow >= limits.progressInstancesMax) this.#report(now);
      else this.#reportAt = Math.min(this.#reportAt, now + limits.progressIntervalMs);
      this.#fetchAt = Number.POSITIVE_INFINITY;
      this.#fetchesInVain = 0;
    }
    this.#watchGap(now);
  }

  /** To the other learners, if they are not told by the acceptors, and to the observers that are fed from here. */
  #announce({ ballot, firstInstance, count, batch, announce }: ChosenEntry, fed: readonly Address[]): void {
    const to = announce && this.#others.length > 0 ? [...this.#others, ...fed] : fed;
    if (to.length === 0) return;
    this.#send.push({ to, message: { type: "chosen", ballot, firstInstance, count, batch } });
  }

  #watchGap(now: number): void {
    if (this.#seenEnd <= this.#chosenBelow) this.#isCatchingUp = false;
    if (this.#seenEnd <= this.#chosenBelow || this.#fetchAt < Number.POSITIVE_INFINITY) return;
    const { fetchAfterMs } = this.#options;
    this.#fetchAt = now + (this.#isCatchingUp ? fetchAfterMs / limits.fetchesCatchingUp : fetchAfterMs);
  }

  #fetch(now: number): void {
    const firstInstance = this.#chosenBelow;
    this.#send.push({ to: this.#acceptors, message: { type: "fetch", firstInstance } });
    this.#fetchAt = Number.POSITIVE_INFINITY;
    this.#fetchingBelow = Math.max(this.#seenEnd, firstInstance + 1);
    if (this.#seenEnd <= firstInstance) return;
    this.#isCatchingUp = true;
    const doublings = Math.min(this.#fetchesInVain, limits.fetchDoublingsMax);
    this.#fetchAt = now + this.#options.fetchAfterMs * 2 ** doublings;
    const isGone = this.#trimmedBelow > firstInstance;
    const isStuck = this.#toldChosenBelow > firstInstance && this.#fetchesInVain >= limits.fetchesInVainMax;
    if (isStuck && !isGone) this.#sendProgress(true);
    this.#fetchesInVain += 1;
  }

  /** Whoever starts to lead has to hear of a pin too: it is said again. */
  #report(now: number): void {
    const isPinned = this.#pinnedAt !== unpinned;
    this.#reportAt = isPinned ? now + limits.progressIntervalMs : Number.POSITIVE_INFINITY;
    this.#reportedBelow = this.#chosenBelow;
    this.#sendProgress(false);
  }

  #sendProgress(stuck: boolean): void {
    const message = {
      type: "progress",
      appliedBelow: this.#chosenBelow,
      stuck,
      trimBelow: this.#trimBelow,
      pinnedAt: this.#pinnedAt,
    } as const;
    this.#send.push({ to: this.#proposers, message });
  }

  /** Everything its future depends on, as plain data, but for when a tick is due; for the explorer. */
  dump(): unknown {
    return [
      this.#votes.dump(),
      [...this.#waiting.from(0)],
      [this.#chosenBelow, this.#seenEnd, this.#toldChosenBelow, this.#trimmedBelow, this.#reportedBelow],
      [this.#trimBelow, this.#pinnedAt],
      [this.#leader, this.#isDistinguished, Math.min(this.#fetchesInVain, limits.fetchesInVainMax)],
      [Number.isFinite(this.#fetchAt), Number.isFinite(this.#reportAt)],
    ];
  }
}
