import type { Address } from "@synod/core";

/** A message under way, as a selector sees it. */
export interface InFlight {
  readonly from: Address;
  readonly to: Address;
  /** In words, beginning with the message's name. */
  readonly text: string;
}

/** Picks messages; `position` is the one in the list that the command `messages` shows, counted from 1. */
export type Selector = (message: InFlight, position: number) => boolean;

/**
 * Which messages a command means:
 *
 *     all                                every one
 *     2 5..7                             by their numbers in the list that `messages` shows
 *     proposer-0 -> acceptor-0,2         by sender and receiver; either side may be missing
 *     -> learners Accepted 1.1.0         by words that their texts hold besides
 *     among proposer-0 acceptor-0,1      those whose sender and receiver are both named
 */
export function parseSelector(words: readonly string[]): Selector {
  const [first = "all", ...rest] = words;
  if (first === "all" && rest.length === 0) return () => true;
  if (first === "among") {
    const inside = matchAddresses(rest);
    return ({ from, to }) => inside(from) && inside(to);
  }
  if (/^\d/.test(first)) {
    const positions = new Set(words.flatMap(parsePositions));
    return (_, position) => positions.has(position);
  }
  const arrow = words.indexOf("->");
  if (arrow < 0) throw new Error(`no messages are named like this: ${words.join(" ")}`);
  const isAddress = (word: string) => /^(proposer|acceptor|learner|client)(s$|-\d)/.test(word);
  const after = words.slice(arrow + 1);
  const end = after.findIndex(word => !isAddress(word));
  const isFrom = matchAddresses(words.slice(0, arrow));
  const isTo = matchAddresses(end < 0 ? after : after.slice(0, end));
  const wanted = end < 0 ? [] : after.slice(end);
  return ({ from, to, text }) =>
    isFrom(from) && isTo(to) && wanted.every(word => text.split(/[\s,;:]+/).includes(word));
}

/** `acceptor-0,2` are two addresses; `acceptors` are all of them; no name at all is everybody. */
function matchAddresses(names: readonly string[]): (address: Address) => boolean {
  if (names.length === 0) return () => true;
  const matchers = names.map(name => {
    if (name.endsWith("s")) return (address: Address) => address.startsWith(`${name.slice(0, -1)}-`);
    const addresses = new Set(parseAddresses(name));
    return (address: Address) => addresses.has(address);
  });
  return address => matchers.some(matches => matches(address));
}

/** `acceptor-0,2` is `acceptor-0` and `acceptor-2`. */
export function parseAddresses(name: string): readonly Address[] {
  const match = /^([a-z]+)-([\d,]+)$/.exec(name);
  if (match === null) throw new Error(`not an address: ${name}`);
  return (match[2] as string).split(",").map(index => `${match[1]}-${index}`);
}

function parsePositions(word: string): readonly number[] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(word);
  if (match === null) throw new Error(`not the number of a message: ${word}`);
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
