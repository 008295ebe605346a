import { type Ballot, compareBallots, noBallot, sameProposer } from "./ballot.js";
import { ClientReads, type ExpiredRead } from "./client-reads.js";
import { LeaderWatch } from "./leader-watch.js";
import {
  type Address,
  type Envelope,
  type NotLeaderMessage,
  probeId,
  type ReadReadyMessage,
} from "./messages.js";
import { actorAddress, addressesOf, indexOf, type Topology } from "./roles.js";

export interface SyncsOptions {
  readonly topology: Topology;
  /** As proposers have it, in milliseconds: without a leader for longer there is no quorum. */
  readonly leaseMs: number;
  /** Who does not answer within so many milliseconds is passed over. */
  readonly askAgainMs: number;
}

export interface SyncsReady {
  readonly send: readonly Envelope[];
  /** By number: from now on the state shows everything that anybody was told before these were added. */
  readonly done: readonly number[];
  readonly expired: readonly ExpiredRead[];
}

const noBytes = new Uint8Array(0);

/**
 * Linearizable reads of an observer: like those of a client, but the learner that is to have applied everything below
 * the read index is the observer itself. All that are added in one turn ask the leader together.
 *
 * Source: Ongaro, "Consensus: Bridging Theory and Practice", section 6.4.
 */
export class Syncs {
  readonly #proposers: readonly Address[];
  readonly #reads: ClientReads;
  readonly #watch: LeaderWatch;
  #leader = 0;
  /** The highest that somebody has said it leads in. */
  #ballot: Ballot = noBallot;
  /** By number: the read index, for those that wait until so much is applied here. */
  readonly #waiting = new Map<number, number>();
  #appliedBelow = 0;
  #done: number[] = [];

  constructor({ topology, leaseMs, askAgainMs }: SyncsOptions) {
    this.#proposers = addressesOf("proposer", topology.proposers);
    this.#reads = new ClientReads(askAgainMs);
    this.#watch = new LeaderWatch(leaseMs);
  }

  get open(): number {
    return this.#reads.open;
  }

  /** The highest read index that is waited for; 0 when none is. */
  get awaitedBelow(): number {
    return Math.max(0, ...this.#waiting.values());
  }

  /** Returns the number under which it is done or expires. */
  add(deadline: number, now: number): number {
    if (this.#reads.open === 0) this.#watch.begin(now);
    return this.#reads.add(noBytes, "linearizable", deadline, now, 0);
  }

  /** Its caller has gone. */
  forget(id: number): void {
    this.#reads.forget(id);
    this.#waiting.delete(id);
  }

  receive(from: Address, message: ReadReadyMessage | NotLeaderMessage, now: number): void {
    if (message.type === "readReady") return this.#onReady(indexOf("proposer", from), message, now);
    const { ballot, leader } = message;
    const isNews = compareBallots(ballot, this.#ballot) >= 0 && leader !== this.#leader;
    if (leader < 0 || !isNews || from === actorAddress("proposer", leader)) return;
    this.#ballot = ballot;
    this.#leader = leader;
    this.#reads.askAgain(now);
  }

  /** Everything below is applied here. */
  applied(below: number): void {
    this.#appliedBelow = below;
    for (const [id, readBelow] of this.#waiting) {
      if (readBelow <= below) this.#end(id);
    }
  }

  tick(now: number): void {
    const reason = this.#watch.reason(now);
    const silent = this.#reads.tick(now, this.#destinations, reason);
    if (silent.leader) this.#leader = (this.#leader + 1) % this.#proposers.length;
  }

  get deadline(): number {
    if (this.#reads.open === 0) return Number.POSITIVE_INFINITY;
    return Math.min(this.#reads.deadline, this.#watch.probeAt);
  }

  takeReady(now: number): SyncsReady {
    const { send, expired } = this.#reads.takeReady(this.#destinations);
    const asking: Envelope[] = [];
    for (const envelope of send) {
      if (envelope.message.type !== "query") asking.push(envelope);
      else this.#wait(envelope.message.id, envelope.message.appliedBelow);
    }
    for (const { id } of expired) this.#waiting.delete(id);
    if (this.#reads.open > 0 && now >= this.#watch.probeAt) {
      this.#watch.probed(now);
      asking.push({ to: this.#proposers, message: { type: "read", id: probeId } });
    }
    const done = this.#done;
    this.#done = [];
    return { send: asking, done, expired };
  }

  get #destinations() {
    return { leader: this.#leader, learner: 0 };
  }

  #onReady(leader: number, message: ReadReadyMessage, now: number): void {
    this.#watch.confirmed(now, message.storageFull);
    if (compareBallots(message.ballot, this.#ballot) >= 0) {
      const isAnother = leader !== this.#leader || !sameProposer(message.ballot, this.#ballot);
      this.#ballot = message.ballot;
      this.#leader = leader;
      // What its predecessor was asked, or its former life, nobody answers any more.
      if (isAnother && message.id === probeId) this.#reads.askAgain(now);
    }
    if (message.id !== probeId) this.#reads.ready(message, now, 0);
  }

  /** Any index that the leader gave after the caller had asked will do: the lowest is applied first. */
  #wait(id: number, readBelow: number): void {
    const below = Math.min(readBelow, this.#waiting.get(id) ?? readBelow);
    this.#waiting.set(id, below);
    if (below <= this.#appliedBelow) this.#end(id);
  }

  #end(id: number): void {
    this.#waiting.delete(id);
    this.#reads.forget(id);
    this.#done.push(id);
  }
}
