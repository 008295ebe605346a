import type { Envelope, Message } from "../../messages.js";
import { actorAddress, addressesOf, indexOf } from "../../roles.js";
import { freezeDeep } from "../freeze-deep.js";
import type { Configuration } from "./configuration.js";
import type { Input, Sent } from "./inputs.js";

/** Gives equal things equal small numbers. */
export class Interner<Thing> {
  readonly #numbers = new Map<string, number>();
  readonly things: Thing[] = [];

  /** `key` tells different things apart. */
  numberOf(key: string, thing: Thing): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.things.length);
    return this.things.push(thing) - 1;
  }
}

/** Numbers messages and inputs, for all actors of a configuration. */
export class Network {
  readonly configuration: Configuration;
  /** The explored actors: proposers, acceptors, learners. */
  readonly addresses: readonly string[];
  readonly messages = new Interner<Message>();
  readonly inputs = new Interner<Input>();
  /** Every order of the acceptors, the given one first. */
  readonly orders: readonly (readonly number[])[];

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    this.orders = ordersOf(configuration.acceptors);
    this.addresses = [
      ...addressesOf("proposer", configuration.proposers.length),
      ...addressesOf("acceptor", configuration.acceptors),
      ...addressesOf("learner", configuration.learners),
    ];
  }

  inputOf(input: Input): number {
    const key = input.kind === "deliver" ? `${input.message}/${input.from}/${input.crash}` : input.kind;
    return this.inputs.numberOf(key, input);
  }

  /** What was sent before and what is sent now, by ascending numbers. What nobody hears is left out. */
  withSent(before: readonly Sent[], envelopes: readonly Envelope[]): readonly Sent[] {
    const all = new Map(before.map(({ message, to }) => [message, to]));
    for (const { to, message } of envelopes) {
      let receivers = 0;
      for (const address of to) {
        const actor = this.addresses.indexOf(address);
        if (actor >= 0) receivers |= 1 << actor;
      }
      if (receivers === 0) continue;
      freezeDeep(message);
      const number = this.messages.numberOf(JSON.stringify(message), message);
      all.set(number, (all.get(number) ?? 0) | receivers);
    }
    return [...all].sort(([left], [right]) => left - right).map(([message, to]) => ({ message, to }));
  }

  /** The input after acceptors have changed places: acceptor i is now acceptor `places[i]`. */
  permuted(number: number, places: readonly number[]): number {
    const input = this.inputs.things[number]!;
    if (input.kind !== "deliver") return number;
    const acceptor = indexOf("acceptor", input.from);
    if (acceptor < 0) return number;
    return this.inputOf({ ...input, from: actorAddress("acceptor", places[acceptor]!) });
  }
}

function ordersOf(count: number): number[][] {
  if (count === 0) return [[]];
  return ordersOf(count - 1).flatMap(order =>
    Array.from({ length: count }, (_, gap) => [
      ...order.slice(0, count - 1 - gap),
      count - 1,
      ...order.slice(count - 1 - gap),
    ]),
  );
}
