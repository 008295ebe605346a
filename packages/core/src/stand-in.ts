import { limits } from "./limits.js";
import type { Envelope } from "./messages.js";
import { actorAddress } from "./roles.js";

/** Asked again so often within the time for which another learner answers. */
const renewalsPerStandIn = 3;

/**
 * A learner that pauses, to write a snapshot or to restore one, has another answer in its place. Results that come from
 * both do no harm: a client takes the first.
 */
export class StandIn {
  /** By learner: until when this one answers for it, in milliseconds. */
  readonly #until = new Map<number, number>();
  readonly #answersFor = new Set<number>();
  /** Who was asked to answer for this one. */
  #asked: number | undefined;
  #renewAt = Number.POSITIVE_INFINITY;
  #send: Envelope[] = [];

  /** Learners for which this one answers: a view that changes. */
  get answersFor(): ReadonlySet<number> {
    return this.#answersFor;
  }

  /** This learner is about to pause: `other` is to answer for it, if there is another that lives. */
  ask(other: number | undefined, now: number): void {
    if (this.#asked !== undefined && this.#asked !== other) this.#say(this.#asked, false);
    this.#asked = other;
    this.#renewAt = Number.POSITIVE_INFINITY;
    if (other === undefined) return;
    this.#say(other, true);
    this.#renewAt = now + limits.standInMs / renewalsPerStandIn;
  }

  /** The pause is over. */
  takeBack(now: number): void {
    this.ask(undefined, now);
  }

  asked(from: number, on: boolean, now: number): void {
    if (on) {
      this.#until.set(from, now + limits.standInMs);
      this.#answersFor.add(from);
    } else this.#end(from);
  }

  tick(now: number): void {
    for (const [learner, until] of this.#until) if (now >= until) this.#end(learner);
    if (now >= this.#renewAt) this.ask(this.#asked, now);
  }

  get deadline(): number {
    let at = this.#renewAt;
    for (const until of this.#until.values()) at = Math.min(at, until);
    return at;
  }

  takeSend(): readonly Envelope[] {
    const send = this.#send;
    this.#send = [];
    return send;
  }

  #end(learner: number): void {
    this.#until.delete(learner);
    this.#answersFor.delete(learner);
  }

  #say(learner: number, on: boolean): void {
    this.#send.push({ to: [actorAddress("learner", learner)], message: { type: "standIn", on } });
  }
}
