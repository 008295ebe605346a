import type { ActorRole } from "../../roles.js";
import type { Configuration } from "./configuration.js";
import { Invariants } from "./invariants.js";
import { describePath } from "./path.js";
import { Space } from "./space.js";
import { StateStore } from "./state-store.js";
import { Symmetry } from "./symmetry.js";

export interface ExploreOptions {
  /** The search ends when so many distinct states have been found. */
  readonly statesMax: number;
  /** Called every few thousand states. */
  readonly onProgress?: (counts: ExplorationCounts) => void;
  /** Called at the end for every state, with a text that is the same for states that differ only in symmetry. */
  readonly onState?: (shape: string) => void;
  /** `false` tells acceptors apart and lets silent steps be steps: slow, to test that nothing is lost. */
  readonly reduce?: boolean;
}

export interface ExplorationCounts {
  /** Distinct states. */
  readonly states: number;
  /** States whose successors are all known. */
  readonly expanded: number;
  readonly transitions: number;
  /** The most steps that lie between the first state and another, on shortest paths. */
  readonly depth: number;
  /** Size of the table of states. */
  readonly stateBytes: number;
  /** Distinct local states, over all actors of a role. */
  readonly localStates: Readonly<Record<ActorRole, number>>;
}

export interface FoundViolation {
  readonly invariant: string;
  /** A shortest way there, one line a step; messages that nobody receives are left out. */
  readonly path: readonly string[];
}

export interface Exploration extends ExplorationCounts {
  /** True when every state within the bounds was visited. */
  readonly exhausted: boolean;
  /** The first violation in breadth-first order; the search ends with it. */
  readonly violation: FoundViolation | undefined;
}

/** Visits every state of a configuration, breadth first, and checks the invariants in each. */
export function explore(configuration: Configuration, options: ExploreOptions): Exploration {
  return new Search(configuration, options).run();
}

class Search {
  readonly #options: ExploreOptions;
  readonly #space: Space;
  readonly #symmetry: Symmetry;
  readonly #invariants: Invariants;
  readonly #store: StateStore;
  readonly #reduce: boolean;
  readonly #next: Int32Array;
  /** The state whose successors are looked for. */
  #expanded = 0;
  #transitions = 0;
  #depth = 0;
  #violation: FoundViolation | undefined;

  constructor(configuration: Configuration, options: ExploreOptions) {
    this.#options = options;
    this.#reduce = options.reduce ?? true;
    this.#space = new Space(configuration, this.#reduce);
    const { tables, network } = this.#space;
    this.#symmetry = new Symmetry(tables, network.orders);
    this.#invariants = new Invariants(tables, configuration.quorums);
    this.#store = new StateStore(tables.length);
    this.#next = new Int32Array(tables.length);
  }

  run(): Exploration {
    const current = new Int32Array(this.#space.tables.length);
    this.#store.add(current, -1);
    let levelEnd = 1;
    while (this.#expanded < this.#store.size && this.#store.size < this.#options.statesMax) {
      if (this.#expanded === levelEnd) {
        this.#depth += 1;
        levelEnd = this.#store.size;
      }
      this.#store.read(this.#expanded, current);
      this.#space.forEachStep(current, (actor, after) => this.#go(current, actor, after));
      if (this.#violation !== undefined) break;
      this.#expanded += 1;
      if ((this.#expanded & 0x3fff) === 0) this.#options.onProgress?.(this.#counts());
    }
    const exhausted = this.#violation === undefined && this.#expanded === this.#store.size;
    if (this.#options.onState !== undefined) this.#tellShapes(this.#options.onState);
    return { ...this.#counts(), exhausted, violation: this.#violation };
  }

  #counts(): ExplorationCounts {
    const localStates = { proposer: 0, acceptor: 0, learner: 0 };
    for (const table of new Set(this.#space.tables)) localStates[table.role] += table.size;
    return {
      states: this.#store.size,
      expanded: this.#expanded,
      transitions: this.#transitions,
      depth: this.#depth,
      stateBytes: this.#store.bytes,
      localStates,
    };
  }

  #go(current: Int32Array, actor: number, after: number): void {
    if (this.#violation !== undefined) return;
    this.#transitions += 1;
    const next = this.#next;
    next.set(current);
    next[actor] = after;
    const broken = this.#space.tables[actor]!.at(after).violation;
    if (broken !== undefined) return this.#report(broken, actor, after);
    this.#space.settle(next, actor);
    if (this.#reduce) this.#symmetry.canonicalise(next);
    if (!this.#store.add(next, this.#expanded)) return;
    const invariant = this.#invariants.violationOf(next);
    if (invariant !== undefined) this.#report(invariant, actor, after);
  }

  #report(invariant: string, actor: number, after: number): void {
    const states: Int32Array[] = [];
    for (let state = this.#expanded; state >= 0; state = this.#store.parentOf(state)) {
      const tuple = new Int32Array(this.#next.length);
      this.#store.read(state, tuple);
      states.push(tuple);
    }
    states.reverse();
    const path = describePath(this.#space, this.#symmetry, states, { actor, after });
    this.#violation = { invariant, path };
  }

  #tellShapes(tell: (shape: string) => void): void {
    const tuple = new Int32Array(this.#next.length);
    for (let state = 0; state < this.#store.size; state++) {
      this.#store.read(state, tuple);
      tell(this.#symmetry.shapeOf(tuple));
    }
  }
}
