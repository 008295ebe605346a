import type { Address } from "./messages.js";

export type ActorRole = "proposer" | "acceptor" | "learner";

/** How many actors of each role there are; their addresses follow from it. */
export interface Topology {
  readonly proposers: number;
  readonly acceptors: number;
  readonly learners: number;
}

export function actorAddress(role: ActorRole, index: number): Address {
  return `${role}-${index}`;
}

export function clientAddress(client: number): Address {
  return `client-${client}`;
}

/** The address of a replica in a user's thread. Clients and observers share one row of numbers. */
export function observerAddress(observer: number): Address {
  return `replica-${observer}`;
}

/** The addresses of all actors of one role, by index. */
export function addressesOf(role: ActorRole, count: number): readonly Address[] {
  return Array.from({ length: count }, (_, index) => actorAddress(role, index));
}

/** `acceptor-2` is 2; -1 when the address is not one of that role. */
export function indexOf(role: ActorRole, address: Address): number {
  if (!address.startsWith(role) || address[role.length] !== "-") return -1;
  return Number(address.slice(role.length + 1));
}
