import type { Address } from "../messages.js";
import { ClientHost } from "./client-host.js";
import type { Host, World } from "./world.js";

/** Which links between hosts carry nothing at present, each in one direction. */
export class Links {
  /** By the addresses of both ends: virtual time, in milliseconds. */
  readonly #cutUntil = new Map<string, number>();

  isCut(from: Address, to: Address, now: number): boolean {
    return (this.#cutUntil.get(`${from} ${to}`) ?? 0) > now;
  }

  /**
   * Cuts some of a proposer's links, so that leaders reach different acceptors and do not hear of each other.
   * Returns how many.
   */
  cutSome(proposer: Host, hosts: readonly Host[], { random, profile, now }: World): number {
    let cuts = 0;
    for (const host of hosts) {
      if (host.role !== "acceptor" && host.role !== "proposer") continue;
      if (host === proposer || !random.chance(profile.faults.cut)) continue;
      cuts += 1;
      const until = now + random.between(20, 300);
      this.#cut(proposer, host, until);
      if (random.chance(0.5)) this.#cut(host, proposer, until);
    }
    return cuts;
  }

  /** Cuts every link between two sides, both ways. */
  part(left: readonly Host[], right: readonly Host[], until: number): void {
    for (const one of left) {
      for (const other of right) {
        this.#cut(one, other, until);
        this.#cut(other, one, until);
      }
    }
  }

  #cut(from: Host, to: Host, until: number): void {
    this.#cutUntil.set(`${from.address} ${to.address}`, until);
  }
}

/**
 * Draws who is left with a leader that is parted from the rest: some clients, a learner and too few acceptors. Neither
 * it nor they notice that it is replaced; those that only read see no sign of it, since no command of theirs waits.
 */
export function sideOf(
  leader: Host,
  hosts: readonly Host[],
  { random, profile }: World,
): (host: Host) => boolean {
  const { topology, quorums, readers } = profile;
  const acceptorsLeft = random.below(quorums.accept);
  const first = random.below(topology.acceptors);
  const learner = random.below(topology.learners);
  const left = hosts.filter(host => {
    if (host.role === "acceptor") return (host.index + first) % topology.acceptors < acceptorsLeft;
    if (host.role === "learner") return host.index === learner;
    if (host instanceof ClientHost) return readers ? host.onlyReads : random.chance(0.5);
    return host === leader;
  });
  return host => left.includes(host);
}
