import type { ActorRole } from "../../roles.js";
import {
  type Actor,
  crashPoints,
  createActor,
  type Happening,
  type Observation,
  spontaneous,
} from "./actors.js";
import { type Input, includesAll, type Sent } from "./inputs.js";
import { IntPairMap } from "./int-pair-map.js";
import { Interner, type Network } from "./network.js";

/** An input and the local state after it. */
export interface LocalStep {
  readonly input: number;
  readonly after: number;
}

/** Stands for all that happens without a message, in the place of an input's number. */
const aloneMarker = -1;

export interface LocalState {
  /** Equal for states that differ only in what was sent. */
  readonly core: number;
  readonly sent: readonly Sent[];
  /** The state and input that it was first reached from; -1 for the first state. */
  readonly parent: number;
  readonly input: number;
  readonly observation: Observation;
  /** The invariant that reaching this state breaks. */
  readonly violation: string | undefined;
}

/**
 * All local states of an actor that have been met, and the memorised steps between them. A role is deterministic,
 * so a state is stored as the inputs that led to it first; they are replayed when a new step from it is needed.
 */
export class LocalStates {
  readonly role: ActorRole;
  readonly index: number;
  readonly #network: Network;
  /** Dumps of the actor, as texts. */
  readonly #cores = new Interner<string>();
  readonly #states = new Interner<LocalState>();
  readonly #steps = new IntPairMap();
  readonly #outcomes: (readonly number[])[] = [];
  /** An actor that stands in a state, so that not every step needs a replay. */
  #standing: { readonly actor: Actor; readonly state: number } | undefined;

  readonly #permuted = new IntPairMap();

  constructor(network: Network, role: ActorRole, index: number) {
    this.#network = network;
    this.role = role;
    this.index = index;
    const actor = createActor(network.configuration, role, index);
    this.#intern(actor, JSON.stringify(actor.dump()), -1, -1);
  }

  get size(): number {
    return this.#states.things.length;
  }

  at(state: number): LocalState {
    return this.#states.things[state]!;
  }

  /** All that a state's future depends on, but for what was sent. */
  textOf(state: number): string {
    return this.#cores.things[this.at(state).core]!;
  }

  /** True when two states differ only in what was sent. */
  isSilent(before: number, after: number): boolean {
    return this.at(before).core === this.at(after).core;
  }

  /** The states that a message may lead to: several, when the actor may crash on the way. */
  deliver(state: number, from: string, message: number): readonly number[] {
    const input = this.#network.inputOf({ kind: "deliver", from, message, crash: "never" });
    const known = this.#steps.get(state, input);
    if (known >= 0) return this.#outcomes[known]!;
    return this.#memorise(state, input, this.explainedDelivery(state, from, message));
  }

  /** The states that the actor may go to by itself. */
  alone(state: number): readonly number[] {
    const known = this.#steps.get(state, aloneMarker);
    if (known >= 0) return this.#outcomes[known]!;
    return this.#memorise(state, aloneMarker, this.explainedAlone(state));
  }

  /** The steps behind {@link deliver}, computed anew. */
  explainedDelivery(state: number, from: string, message: number): readonly LocalStep[] {
    return this.#stepsBy(
      state,
      crashPoints[this.role].map(crash => ({ kind: "deliver", from, message, crash })),
    );
  }

  /** The steps behind {@link alone}, computed anew. */
  explainedAlone(state: number): readonly LocalStep[] {
    return this.#stepsBy(state, spontaneous[this.role]);
  }

  /** The state after acceptors have changed places: the same history with the places changed. */
  permuted(state: number, order: number): number {
    const known = this.#permuted.get(state, order);
    if (known >= 0) return known;
    const { parent, input } = this.at(state);
    if (parent < 0) return state;
    const places = this.#network.orders[order]!;
    const after = this.#compute(this.permuted(parent, order), this.#network.permuted(input, places));
    this.#permuted.set(state, order, after);
    return after;
  }

  #memorise(state: number, input: number, steps: readonly LocalStep[]): readonly number[] {
    const outcomes = steps.map(({ after }) => after).filter(after => after !== state);
    this.#steps.set(state, input, this.#outcomes.push(outcomes) - 1);
    return outcomes;
  }

  /**
   * Of two outcomes that differ only in what was sent, the one that sent less is left out: a message that is sent
   * may still be lost, so whatever can follow the one can follow the other.
   */
  #stepsBy(state: number, inputs: readonly Input[]): readonly LocalStep[] {
    const steps: LocalStep[] = [];
    for (const each of inputs) {
      const input = this.#network.inputOf(each);
      const after = this.#compute(state, input);
      if (after < 0) continue;
      const { core, sent } = this.at(after);
      const isLess = steps.some(other => {
        const known = this.at(other.after);
        return known.core === core && includesAll(known.sent, sent);
      });
      if (!isLess) steps.push({ input, after });
    }
    return steps;
  }

  /** The state after an input, or -1 when it cannot happen. */
  #compute(state: number, input: number): number {
    const actor = this.#take(state);
    let violation: string | undefined;
    let text: string;
    try {
      if (!actor.apply(this.#happening(input))) {
        this.#standing = { actor, state };
        return -1;
      }
      text = JSON.stringify(actor.dump());
    } catch (thrown) {
      violation = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
      text = `${violation} ${state} ${input}`;
    }
    const after = this.#intern(actor, text, state, input, violation);
    if (violation === undefined) this.#standing = { actor, state: after };
    return after;
  }

  #take(state: number): Actor {
    if (this.#standing?.state === state) {
      const { actor } = this.#standing;
      this.#standing = undefined;
      return actor;
    }
    const inputs: number[] = [];
    for (let at = this.at(state); at.parent >= 0; at = this.at(at.parent)) inputs.push(at.input);
    const actor = createActor(this.#network.configuration, this.role, this.index);
    for (const input of inputs.reverse()) actor.apply(this.#happening(input));
    actor.takeSent();
    return actor;
  }

  #happening(number: number): Happening {
    const input = this.#network.inputs.things[number]!;
    if (input.kind !== "deliver") return input;
    const message = this.#network.messages.things[input.message]!;
    return { kind: "deliver", from: input.from, message, crash: input.crash };
  }

  #intern(actor: Actor, text: string, parent: number, input: number, violation?: string): number {
    const core = this.#cores.numberOf(text, text);
    const sent = this.#network.withSent(parent < 0 ? [] : this.at(parent).sent, actor.takeSent());
    const key = `${core}/${sent.map(({ message, to }) => `${message}:${to}`).join()}`;
    const { observation } = actor;
    return this.#states.numberOf(key, { core, sent, parent, input, observation, violation });
  }
}
