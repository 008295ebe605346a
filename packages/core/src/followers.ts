import { limits } from "./limits.js";
import type { Address, FollowMessage } from "./messages.js";

interface Follower {
  appliedBelow: number;
  isFed: boolean;
  heardAt: number;
}

/** The observers that a learner has heard of lately, and those of them that it feeds. */
export class Followers {
  readonly #known = new Map<Address, Follower>();
  /** Those that are fed; made anew whenever it may have changed. */
  #fed: readonly Address[] = [];
  /** Nobody has been silent for too long before then, in milliseconds. */
  #forgetAt = Number.POSITIVE_INFINITY;

  /** Those that were silent for too long are counted until somebody looks. */
  get size(): number {
    return this.#known.size;
  }

  heard(from: Address, { appliedBelow, feed }: FollowMessage, now: number): void {
    const known = this.#known.get(from);
    this.#known.set(from, { appliedBelow, isFed: feed, heardAt: now });
    if (known === undefined || known.isFed !== feed) this.#count();
    this.#forgetAt = Math.min(this.#forgetAt, now + limits.followerAliveMs);
  }

  /** Whom to tell what is learned: those that were silent for too long are forgotten first. */
  fed(now: number): readonly Address[] {
    if (now >= this.#forgetAt) this.#forget(now);
    return this.#fed;
  }

  /** By observer: everything below is applied there. */
  applied(now: number): ReadonlyMap<Address, number> {
    if (now >= this.#forgetAt) this.#forget(now);
    return new Map([...this.#known].map(([address, { appliedBelow }]) => [address, appliedBelow]));
  }

  #forget(now: number): void {
    this.#forgetAt = Number.POSITIVE_INFINITY;
    for (const [address, { heardAt }] of this.#known) {
      const forgetAt = heardAt + limits.followerAliveMs;
      if (now >= forgetAt) this.#known.delete(address);
      else this.#forgetAt = Math.min(this.#forgetAt, forgetAt);
    }
    this.#count();
  }

  #count(): void {
    this.#fed = [...this.#known].filter(([, { isFed }]) => isFed).map(([address]) => address);
  }
}
