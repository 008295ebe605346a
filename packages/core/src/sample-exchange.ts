import { limits } from "./limits.js";
import type { Address, Envelope, SampleMessage } from "./messages.js";
import type { ResultSamples, Sample } from "./result-samples.js";
import { actorAddress } from "./roles.js";

/** Two learners' state machines have returned different results for the same log. */
export interface Divergence {
  /** The first sampled instance at which they are seen to differ: they may have gone apart before. */
  readonly instance: number;
  /** Indexes of both. */
  readonly learners: readonly [number, number];
}

interface Peer {
  /** Samples that cannot be compared yet, oldest first. */
  waiting: Sample[];
  /** Everything below was applied there, as far as it has told. */
  appliedBelow: number;
  /** The highest instance at which the chains were the same. */
  agreedAt: number;
  /** Where they were first seen to differ, as long as they have not agreed since. */
  divergedAt: number | undefined;
  heardAt: number;
}

const nothing = -1;

/** Tells the other learners samples of results, and compares theirs with its own. */
export class SampleExchange {
  readonly #index: number;
  readonly #peers = new Map<number, Peer>();
  readonly #others: readonly Address[];
  /** Until then the others are taken to be alive, although they have not been heard of yet. */
  readonly #aloneFrom: number;
  /** Samples below have been told. */
  #toldBelow = 0;
  #appliedBelow = 0;
  #sayAt: number;
  #lifeAt: number;
  #divergences: Divergence[] = [];
  #send: Envelope[] = [];

  constructor(learners: number, index: number, now: number) {
    this.#index = index;
    this.#aloneFrom = now + limits.learnerAliveMs;
    for (let other = 0; other < learners; other++) {
      if (other === index) continue;
      this.#peers.set(other, {
        waiting: [],
        appliedBelow: 0,
        agreedAt: nothing,
        divergedAt: undefined,
        heardAt: Number.NEGATIVE_INFINITY,
      });
    }
    this.#others = [...this.#peers.keys()].map(other => actorAddress("learner", other));
    this.#lifeAt = this.#others.length === 0 ? Number.POSITIVE_INFINITY : now;
    this.#sayAt = Number.POSITIVE_INFINITY;
  }

  /** Another learner that has something to say lives. */
  heard(from: number, now: number): void {
    const peer = this.#peers.get(from);
    if (peer !== undefined) peer.heardAt = Math.max(peer.heardAt, now);
  }

  receive(from: number, message: SampleMessage, own: ResultSamples | undefined): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    peer.appliedBelow = Math.max(peer.appliedBelow, message.appliedBelow);
    peer.waiting.push(...message.samples);
    if (peer.waiting.length > limits.resultSamplesKept) {
      peer.waiting = peer.waiting.slice(-limits.resultSamplesKept);
    }
    this.#compare(from, peer, own);
  }

  /** Everything below is applied here. */
  applied(appliedBelow: number, own: ResultSamples | undefined, now: number): void {
    if (this.#others.length === 0) return;
    this.#appliedBelow = appliedBelow;
    for (const [learner, peer] of this.#peers) {
      if (peer.waiting.length > 0) this.#compare(learner, peer, own);
    }
    this.#sayAt = Math.min(this.#sayAt, now + limits.progressIntervalMs);
  }

  /** This learner goes on from a snapshot: what has agreed with its former state says nothing of this one. */
  restored(appliedBelow: number, own: ResultSamples | undefined, now: number): void {
    for (const peer of this.#peers.values()) peer.agreedAt = nothing;
    this.applied(appliedBelow, own, now);
  }

  tick(own: ResultSamples | undefined, now: number): void {
    if (now >= this.deadline) this.#say(own, now);
  }

  get deadline(): number {
    return Math.min(this.#sayAt, this.#lifeAt);
  }

  /**
   * Does another learner confirm what this one's state machine was at an instance? Without another one alive, as far
   * as is known, nobody can.
   */
  confirms(instance: number, own: ResultSamples | undefined, now: number): boolean {
    const witness = own?.witnessOf(instance) ?? nothing;
    let isAlone = now >= this.#aloneFrom;
    for (const { appliedBelow, agreedAt, heardAt } of this.#peers.values()) {
      if (appliedBelow >= instance && agreedAt >= witness) return true;
      if (now - heardAt < limits.learnerAliveMs) isAlone = false;
    }
    return isAlone;
  }

  /** The first other learner by index, in a circle, that was heard of lately. */
  nextAlive(now: number): number | undefined {
    const learners = this.#peers.size + 1;
    for (let step = 1; step < learners; step++) {
      const other = (this.#index + step) % learners;
      if (now - this.#peers.get(other)!.heardAt < limits.learnerAliveMs) return other;
    }
    return undefined;
  }

  takeReady(): { readonly send: readonly Envelope[]; readonly divergences: readonly Divergence[] } {
    const ready = { send: this.#send, divergences: this.#divergences };
    this.#send = [];
    this.#divergences = [];
    return ready;
  }

  #compare(learner: number, peer: Peer, own: ResultSamples | undefined): void {
    let done = 0;
    for (const [instance, chain] of peer.waiting) {
      if (instance >= this.#appliedBelow) break;
      done += 1;
      // Below what has agreed since, it was said in a former life, and came late.
      if (instance < peer.agreedAt) continue;
      const known = own?.at(instance);
      if (known === undefined) continue;
      if (known === chain) this.#agreed(peer, instance);
      else this.#differs(learner, peer, instance);
    }
    if (done > 0) peer.waiting.splice(0, done);
  }

  #agreed(peer: Peer, instance: number): void {
    peer.agreedAt = Math.max(peer.agreedAt, instance);
    // What was said before they went apart may come late. Above, they are the same again: one was restored.
    if (instance > (peer.divergedAt ?? instance)) peer.divergedAt = undefined;
  }

  /** Told once: the chains stay different until one of the machines is restored. */
  #differs(learner: number, peer: Peer, instance: number): void {
    if (peer.divergedAt !== undefined) return;
    peer.divergedAt = instance;
    this.#divergences.push({ instance, learners: [this.#index, learner] });
  }

  /**
   * What is new, and what came last before: it covers what was lost. Under load not every sample is told, which only
   * makes the place less exact at which two are found to differ.
   */
  #say(own: ResultSamples | undefined, now: number): void {
    const last = own?.lastBelow(this.#toldBelow);
    const fresh = own?.from(this.#toldBelow, limits.samplesPerMessage - 1) ?? [];
    const samples = last === undefined ? fresh : [last, ...fresh];
    const appliedBelow = this.#appliedBelow;
    this.#send.push({ to: this.#others, message: { type: "sample", appliedBelow, samples } });
    this.#toldBelow = appliedBelow;
    this.#sayAt = Number.POSITIVE_INFINITY;
    this.#lifeAt = now + limits.learnerAliveMs / limits.signsOfLifePerAliveMs;
  }
}
