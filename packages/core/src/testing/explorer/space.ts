import type { ActorRole } from "../../roles.js";
import type { Configuration } from "./configuration.js";
import { IntPairMap } from "./int-pair-map.js";
import { LocalStates } from "./local-states.js";
import { Network } from "./network.js";

/** What happened to one actor: an input, and its local states before and after. */
export interface Step {
  readonly actor: number;
  readonly input: number;
  readonly before: number;
  readonly after: number;
}

/**
 * The states of a configuration and the steps between them. A state is a tuple of local states, by actor: proposers,
 * acceptors, learners. What the network holds is the union of what the actors have sent.
 */
export class Space {
  readonly network: Network;
  readonly tables: readonly LocalStates[];
  readonly addresses: readonly string[];
  /** By receiver and sender, both by local state: where the sender's messages may lead, and its silent end. */
  readonly #deliveries: readonly (readonly IntPairMap[])[];
  readonly #silences: readonly (readonly IntPairMap[])[];
  readonly #lists: (readonly number[])[] = [];
  readonly #reduce: boolean;

  /** Without `reduce`, silent steps are steps like others. */
  constructor(configuration: Configuration, reduce: boolean) {
    this.#reduce = reduce;
    const network = new Network(configuration);
    this.network = network;
    const acceptor = new LocalStates(network, "acceptor", 0);
    const actors = (role: ActorRole, count: number) =>
      Array.from({ length: count }, (_, index) => ({ role, index }));
    const all = [
      ...actors("proposer", configuration.proposers.length),
      ...actors("acceptor", configuration.acceptors),
      ...actors("learner", configuration.learners),
    ];
    this.addresses = network.addresses;
    this.tables = all.map(({ role, index }) =>
      role === "acceptor" ? acceptor : new LocalStates(network, role, index),
    );
    this.#deliveries = all.map(() => all.map(() => new IntPairMap()));
    this.#silences = all.map(() => all.map(() => new IntPairMap()));
  }

  /** Calls `visit` for every step of one actor, but for those that only send. */
  forEachStep(state: Int32Array, visit: (actor: number, after: number) => void): void {
    for (let actor = 0; actor < state.length; actor++) {
      for (const after of this.tables[actor]!.alone(state[actor]!)) visit(actor, after);
      for (let sender = 0; sender < state.length; sender++) {
        if (sender === actor) continue;
        for (const after of this.#afterDelivery(actor, state[actor]!, sender, state[sender]!)) {
          visit(actor, after);
        }
      }
    }
  }

  /**
   * Takes all silent steps: those that send something and change nothing else. What is sent may still be lost, so
   * whatever can happen without such a step can happen after it, and the states in between need not be told apart.
   */
  settle(state: Int32Array, changed: number): void {
    if (!this.#reduce) return;
    let dirty = 1 << changed;
    while (dirty !== 0) {
      const mover = 31 - Math.clz32(dirty);
      dirty &= ~(1 << mover);
      for (let other = 0; other < state.length; other++) {
        if (other === mover) continue;
        if (this.#settlePair(state, mover, other)) dirty |= 1 << mover;
        if (this.#settlePair(state, other, mover)) dirty |= 1 << other;
      }
    }
  }

  /** All that can happen in a state, silent steps included, with its inputs: slow, and only to explain. */
  *explainedSteps(state: Int32Array): Generator<Step, void, undefined> {
    for (let actor = 0; actor < state.length; actor++) {
      const before = state[actor]!;
      const table = this.tables[actor]!;
      for (const { input, after } of table.explainedAlone(before)) yield { actor, input, before, after };
      for (let sender = 0; sender < state.length; sender++) {
        if (sender === actor) continue;
        for (const message of this.#messagesFor(actor, sender, state[sender]!)) {
          const steps = table.explainedDelivery(before, this.addresses[sender]!, message);
          for (const { input, after } of steps) yield { actor, input, before, after };
        }
      }
    }
  }

  #afterDelivery(actor: number, state: number, sender: number, senderState: number): readonly number[] {
    const deliveries = this.#deliveries[actor]![sender]!;
    const known = deliveries.get(state, senderState);
    if (known >= 0) return this.#lists[known]!;
    const table = this.tables[actor]!;
    const found = new Set<number>();
    for (const message of this.#messagesFor(actor, sender, senderState)) {
      for (const after of table.deliver(state, this.addresses[sender]!, message)) {
        if (!this.#reduce || !table.isSilent(state, after)) found.add(after);
      }
    }
    const list = [...found];
    deliveries.set(state, senderState, this.#lists.push(list) - 1);
    return list;
  }

  /** Numbers of the messages that were ever sent to an actor. */
  #messagesFor(actor: number, sender: number, senderState: number): number[] {
    const { sent } = this.tables[sender]!.at(senderState);
    return sent.filter(({ to }) => (to & (1 << actor)) !== 0).map(({ message }) => message);
  }

  #settlePair(state: Int32Array, actor: number, sender: number): boolean {
    const silences = this.#silences[actor]![sender]!;
    const before = state[actor]!;
    let after = silences.get(before, state[sender]!);
    if (after < 0) {
      after = this.#silentEnd(actor, before, sender, state[sender]!);
      silences.set(before, state[sender]!, after);
    }
    state[actor] = after;
    return after !== before;
  }

  #silentEnd(actor: number, state: number, sender: number, senderState: number): number {
    const table = this.tables[actor]!;
    let at = state;
    for (const message of this.#messagesFor(actor, sender, senderState)) {
      for (const after of table.deliver(at, this.addresses[sender]!, message)) {
        if (table.isSilent(at, after)) at = after;
      }
    }
    for (const after of table.alone(at)) if (table.isSilent(at, after)) at = after;
    return at;
  }
}
