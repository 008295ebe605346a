import { type ActorRole, actorAddress } from "../../roles.js";
import type { Configuration } from "./configuration.js";
import { IntPairMap } from "./int-pair-map.js";
import { Invariants } from "./invariants.js";
import { LocalStates, Network } from "./local-states.js";
import { StateStore } from "./state-store.js";
import { Symmetry } from "./symmetry.js";

export interface ExploreOptions {
  /** The search ends when so many distinct states have been found. */
  readonly statesMax: number;
  /** Called now and then. */
  readonly onProgress?: (progress: ExplorationCounts) => void;
}

export interface ExplorationCounts {
  /** Distinct states, up to the symmetry of the acceptors. */
  readonly states: number;
  /** States whose successors are known. */
  readonly expanded: number;
  readonly transitions: number;
  /** Steps of the shortest path to the state that is furthest away. */
  readonly depth: number;
  /** Bytes of the table of states. */
  readonly bytes: number;
  readonly localStates: Readonly<Record<ActorRole, number>>;
}

/** One of the ways in which the space is one actor's step away from another state. */
interface Violation {
  readonly invariant: string;
}

export interface Exploration extends ExplorationCounts {
  /** True when every state within the bounds was visited. */
  readonly exhausted: boolean;
  readonly violation: Violation | undefined;
}

export function explore(configuration: Configuration, options: ExploreOptions): Exploration {
  return new Search(configuration, options).run();
}

class Search {
  readonly #options: ExploreOptions;
  readonly #tables: LocalStates[] = [];
  readonly #addresses: string[] = [];
  readonly #network: Network;
  readonly #symmetry: Symmetry;
  readonly #invariants: Invariants;
  readonly #store: StateStore;
  readonly #tuple: Int32Array;
  #transitions = 0;
  #depth = 0;
  #expanded = 0;
  readonly #pairs: IntPairMap[][];
  readonly #pairLists: (readonly number[])[] = [];
  readonly #silent: IntPairMap[][];
  #violation: Violation | undefined;

  constructor(configuration: Configuration, options: ExploreOptions) {
    this.#options = options;
    this.#network = new Network(configuration);
    const add = (role: ActorRole, count: number) => {
      let table: LocalStates | undefined;
      for (let index = 0; index < count; index++) {
        if (role !== "acceptor" || table === undefined) table = new LocalStates(this.#network, role, index);
        this.#tables.push(table);
        this.#addresses.push(actorAddress(role, index));
      }
    };
    add("proposer", configuration.proposers.length);
    add("acceptor", configuration.acceptors);
    add("learner", configuration.learners);
    this.#pairs = this.#tables.map(() => this.#tables.map(() => new IntPairMap()));
    this.#silent = this.#tables.map(() => this.#tables.map(() => new IntPairMap()));
    this.#symmetry = new Symmetry(this.#tables, this.#network.orders);
    this.#invariants = new Invariants(this.#tables, configuration.quorums);
    this.#store = new StateStore(this.#tables.length);
    this.#tuple = new Int32Array(this.#tables.length);
  }

  run(): Exploration {
    const current = new Int32Array(this.#tables.length);
    this.#store.add(current, -1);
    let levelEnd = 1;
    for (; this.#expanded < this.#store.size; this.#expanded++) {
      if (this.#expanded === levelEnd) {
        this.#depth += 1;
        levelEnd = this.#store.size;
      }
      if (this.#store.size >= this.#options.statesMax) break;
      this.#store.read(this.#expanded, current);
      this.#expand(current);
      if (this.#violation !== undefined) break;
      if ((this.#expanded & 0x3fff) === 0) this.#options.onProgress?.(this.#counts());
    }
    const exhausted = this.#violation === undefined && this.#expanded === this.#store.size;
    return { ...this.#counts(), exhausted, violation: this.#violation };
  }

  #counts(): ExplorationCounts {
    const localStates = { proposer: 0, acceptor: 0, learner: 0 };
    for (const table of new Set(this.#tables)) localStates[table.role] += table.size;
    return {
      states: this.#store.size,
      expanded: this.#expanded,
      transitions: this.#transitions,
      depth: this.#depth,
      bytes: this.#store.bytes,
      localStates,
    };
  }

  #expand(current: Int32Array): void {
    for (let actor = 0; actor < current.length; actor++) {
      for (const after of this.#tables[actor]!.alone(current[actor]!)) this.#goTo(current, actor, after);
      for (let sender = 0; sender < current.length; sender++) {
        if (sender === actor) continue;
        for (const after of this.#deliveries(actor, current[actor]!, sender, current[sender]!)) {
          this.#goTo(current, actor, after);
        }
      }
    }
  }

  #goTo(current: Int32Array, actor: number, after: number): void {
    if (this.#violation !== undefined) return;
    this.#transitions += 1;
    const { violation } = this.#tables[actor]!.at(after);
    if (violation !== undefined) {
      this.#violation = { invariant: violation };
      return;
    }
    this.#tuple.set(current);
    this.#tuple[actor] = after;
    this.#settle(this.#tuple, actor);
    this.#symmetry.canonicalise(this.#tuple);
    if (!this.#store.add(this.#tuple, this.#expanded)) return;
    const invariant = this.#invariants.violationOf(this.#tuple);
    if (invariant !== undefined) this.#violation = { invariant };
  }

  /** Local states, other than by silent steps, that messages of `sender` may lead to. */
  #deliveries(actor: number, state: number, sender: number, senderState: number): readonly number[] {
    const pairs = this.#pairs[actor]![sender]!;
    const known = pairs.get(state, senderState);
    if (known >= 0) return this.#pairLists[known]!;
    const table = this.#tables[actor]!;
    const found = new Set<number>();
    for (const item of this.#itemsFor(actor, sender, senderState)) {
      for (const after of table.deliver(state, this.#addresses[sender]!, item)) {
        if (after !== state && !table.isSilent(state, after)) found.add(after);
      }
    }
    const list = [...found];
    pairs.set(state, senderState, this.#pairLists.push(list) - 1);
    return list;
  }

  #itemsFor(actor: number, sender: number, senderState: number): number[] {
    const address = this.#addresses[actor]!;
    const { sent } = this.#tables[sender]!.at(senderState);
    return sent.filter(item => this.#network.items.things[item]!.to.includes(address));
  }

  /**
   * Takes all silent steps: those that send something and change nothing else. Messages are never lost for good,
   * so whatever can happen without the step can happen after it: states in between need not be told apart.
   */
  #settle(tuple: Int32Array, changed: number): void {
    let dirty = 1 << changed;
    while (dirty !== 0) {
      const mover = 31 - Math.clz32(dirty);
      dirty &= ~(1 << mover);
      for (let other = 0; other < tuple.length; other++) {
        if (other === mover) continue;
        if (this.#settlePair(tuple, mover, other)) dirty |= 1 << mover;
        if (this.#settlePair(tuple, other, mover)) dirty |= 1 << other;
      }
    }
  }

  #settlePair(tuple: Int32Array, actor: number, sender: number): boolean {
    const silent = this.#silent[actor]![sender]!;
    const state = tuple[actor]!;
    let after = silent.get(state, tuple[sender]!);
    if (after < 0) {
      after = this.#afterSilence(actor, sender, state, tuple[sender]!);
      silent.set(state, tuple[sender]!, after);
    }
    tuple[actor] = after;
    return after !== state;
  }

  #afterSilence(actor: number, sender: number, state: number, senderState: number): number {
    const table = this.#tables[actor]!;
    let at = state;
    for (const item of this.#itemsFor(actor, sender, senderState)) {
      for (const after of table.deliver(at, this.#addresses[sender]!, item)) {
        if (after !== at && table.isSilent(at, after)) at = after;
      }
    }
    for (const after of table.alone(at)) if (after !== at && table.isSilent(at, after)) at = after;
    return at;
  }
}
