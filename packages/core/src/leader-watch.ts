import { limits } from "./limits.js";

/**
 * Why a deadline passed without an answer: no leader was confirmed within the last lease, one was, or one was and
 * says that acceptors have no room.
 */
export type LateReason = "noQuorum" | "timeout" | "storageFull";

/**
 * What a client knows of whether anybody leads. While it waits and hears nothing it asks all proposers: the answer
 * comes only from one that leads, by a lease or a quorum's word, and from a new one as soon as it does.
 */
export class LeaderWatch {
  readonly #leaseMs: number;
  readonly #probeAfterMs: number;
  readonly #probeAgainMs: number;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** Since when the client has waited without a confirmation. */
  #silentSince = Number.NEGATIVE_INFINITY;
  #probeAt = Number.POSITIVE_INFINITY;
  /** When the first probe was sent that nobody has answered; infinite when there is none. */
  #askedAt = Number.POSITIVE_INFINITY;
  #storageFull = false;

  constructor(leaseMs: number) {
    const { probeAfterMsMin, probeAfterMsMax, probeAgainMsMax } = limits;
    this.#leaseMs = leaseMs;
    // Without leases nobody is replaced by itself: there is no hurry.
    const silenceMs = leaseMs > 0 ? leaseMs : Number.POSITIVE_INFINITY;
    this.#probeAfterMs = Math.min(Math.max(silenceMs / 4, probeAfterMsMin), probeAfterMsMax);
    this.#probeAgainMs = Math.min(Math.max(silenceMs / 2, probeAfterMsMin), probeAgainMsMax);
  }

  get confirmedAt(): number {
    return this.#confirmedAt;
  }

  /** When the next probe is due, while the client waits for anything. */
  get probeAt(): number {
    return this.#probeAt;
  }

  /** The client has begun to wait: until now it had no reason to expect anything. */
  begin(now: number): void {
    this.#silentSince = now;
    this.#probeAt = now + this.#probeAfterMs;
    this.#askedAt = Number.POSITIVE_INFINITY;
  }

  /** Somebody leads, or has just led: only so can what came have come. */
  confirmed(now: number, storageFull: boolean): void {
    this.#confirmedAt = now;
    this.#silentSince = now;
    this.#probeAt = now + this.#probeAfterMs;
    this.#askedAt = Number.POSITIVE_INFINITY;
    this.#storageFull = storageFull;
  }

  probed(now: number): void {
    this.#askedAt = Math.min(this.#askedAt, now);
    this.#probeAt = now + this.#probeAgainMs;
  }

  /** A probe has been out long enough for whoever leads to have answered. */
  isUnanswered(now: number): boolean {
    return now - this.#askedAt >= this.#probeAfterMs;
  }

  /** Has nothing been heard for a lease of the leader that there was? The same one may lead in another life now. */
  wasLost(since: number, now: number): boolean {
    const hadLeader = this.#confirmedAt > Number.NEGATIVE_INFINITY;
    return this.#leaseMs > 0 && hadLeader && now - Math.max(this.#silentSince, since) >= this.#leaseMs;
  }

  /** Why what ends now has had no answer. */
  reason(now: number): LateReason {
    if (this.isUnanswered(now) && now - this.#confirmedAt > this.#leaseMs) return "noQuorum";
    return this.#storageFull ? "storageFull" : "timeout";
  }
}
