import { CallReturnList, type Entry } from "./call-return-list.js";
import { ConfigurationSet } from "./configuration-set.js";
import { describeDeadEnd, dueAfter } from "./linearizability-counterexample.js";
import type { Operation } from "./operation.js";
import { type Model, pending } from "./sequential-model.js";

/** Some seconds, and less memory than a process has by default. */
const stepsMaxDefault = 5_000_000;

export interface LinearizabilityOptions {
  /** Calls of the model's `step` after which the checker gives up. Each may add to its memory, so below 2^24. */
  readonly stepsMax?: number;
}

interface Linearizable<Input, Output> {
  readonly linearizable: true;
  readonly steps: number;
  /** The operations one after the other; of those that never returned, the ones that must have taken effect. */
  readonly order: readonly Operation<Input, Output>[];
}

interface NotLinearizable<Input, Output> {
  /** `undefined`: undecided, because the steps ran out. */
  readonly linearizable: false | undefined;
  readonly steps: number;
  /** The beginning of an order that takes in as many operations that returned as any. */
  readonly prefix: readonly Operation<Input, Output>[];
  /** The operations of which one had to come next; when undecided, perhaps one can. */
  readonly blocked: readonly Operation<Input, Output>[];
  /** All that for people, line by line. */
  readonly explanation: readonly string[];
}

export type LinearizabilityResult<Input, Output> =
  | Linearizable<Input, Output>
  | NotLinearizable<Input, Output>;

/**
 * Decides whether a history is linearizable: whether each operation can take effect at one moment between its call
 * and its return, so that all outputs are those of `model`. Operations that touch, one called at the time at which
 * another returned, count as concurrent. Takes time in proportion to the history while few operations are under way
 * at once; a wrong history can cost time exponential in how many are.
 *
 * Sources: Herlihy and Wing, "Linearizability" (1990); Wing and Gong, "Testing and verifying concurrent objects"
 * (1993); Lowe, "Testing for linearizability" (2017).
 */
export function checkLinearizability<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  { stepsMax = stepsMaxDefault }: LinearizabilityOptions = {},
): LinearizabilityResult<Input, Output> {
  return new Search(model, history, stepsMax).run();
}

/** One more operation, and where it leads. */
interface Choice<State, Input, Output> {
  readonly entry: Entry<Input, Output>;
  readonly state: State;
  /**
   * The state without the last operation that never returned, as long as all outputs since are possible without it
   * too; `undefined` when there is none such.
   */
  readonly spared: State | undefined;
}

/** The search after it has linearized some operations. */
interface Place<State, Input, Output> {
  readonly state: State;
  readonly spared: State | undefined;
  /** The place before, and the operation linearized since; `undefined` at the start. */
  readonly before: Place<State, Input, Output> | undefined;
  readonly entry: Entry<Input, Output> | undefined;
  /** How many operations are linearized that returned. */
  readonly returned: number;
  /** What has not been tried from here. */
  readonly choices: Iterator<Choice<State, Input, Output>, undefined>;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #list: CallReturnList<Input, Output>;
  readonly #linearized: ConfigurationSet<Input, Output>;
  /** By index of an operation that never returned: the one before it with the same input. */
  readonly #twins: readonly (Entry<Input, Output> | undefined)[];
  readonly #stepsMax: number;
  #steps = 0;

  constructor(
    model: Model<State, Input, Output>,
    history: readonly Operation<Input, Output>[],
    stepsMax: number,
  ) {
    this.#model = model;
    this.#list = new CallReturnList(history, input => model.isRead?.(input, pending) === true);
    this.#linearized = new ConfigurationSet(this.#list);
    this.#twins = twinsOf(model, this.#list.unreturned);
    this.#stepsMax = stepsMax;
  }

  /** Depth first; a place is left when nothing can come next, and never visited again. */
  run(): LinearizabilityResult<Input, Output> {
    let place = this.#start();
    let longest = place;
    while (place.returned < this.#list.returned.length) {
      const { value: choice } = place.choices.next();
      if (this.#steps > this.#stepsMax) return this.#stopAt(longest, undefined);
      if (choice !== undefined) {
        place = this.#advance(place, choice) ?? place;
        if (place.returned > longest.returned) longest = place;
      } else if (place.before !== undefined && place.entry !== undefined) {
        this.#takeBack(place.entry);
        place = place.before;
      } else return this.#stopAt(longest, false);
    }
    return {
      linearizable: true,
      steps: this.#steps,
      order: entriesUpTo(place).map(({ operation }) => operation),
    };
  }

  #start(): Place<State, Input, Output> {
    const { initial: state } = this.#model;
    const at = { state, spared: undefined };
    return { ...at, before: undefined, entry: undefined, returned: 0, choices: this.#choices(at) };
  }

  /** `undefined` when the search has been there. */
  #advance(
    before: Place<State, Input, Output>,
    choice: Choice<State, Input, Output>,
  ): Place<State, Input, Output> | undefined {
    const { entry, state, spared } = choice;
    this.#linearized.toggle(entry);
    const isReturned = entry.output !== pending;
    if (isReturned) this.#list.remove(entry);
    if (this.#linearized.visit(this.#list, this.#model.key(state))) {
      const returned = before.returned + (isReturned ? 1 : 0);
      return { state, spared, before, entry, returned, choices: this.#choices(choice) };
    }
    this.#takeBack(entry);
    return undefined;
  }

  #takeBack(entry: Entry<Input, Output>): void {
    this.#linearized.toggle(entry);
    if (entry.output !== pending) this.#list.restore(entry);
  }

  /**
   * What can come next. Of the orders that explain the history, if there are any, the search looks for one with the
   * fewest operations that never returned. It may leave out choices by these rules, because each leaves one such:
   *
   * 1. A read that fits is the only choice: it can be moved to the front of whatever comes next.
   * 2. Of operations that never returned and have the same input, the oldest comes first: they can change places.
   * 3. An operation that never returned makes a difference, at once and to an operation after it: otherwise there is
   *    an order without it.
   *
   * The most urgent are tried first, and those that never returned last, which finds an order soon if there is one.
   */
  *#choices(
    at: Pick<Choice<State, Input, Output>, "state" | "spared">,
  ): Iterator<Choice<State, Input, Output>, undefined> {
    const due = this.#list.due().sort((a, b) => a.returnedAt - b.returnedAt);
    const writes: Entry<Input, Output>[] = [];
    for (const entry of due) {
      if (!this.#isRead(entry)) {
        writes.push(entry);
        continue;
      }
      const choice = this.#choice(at, entry);
      if (choice === undefined) continue;
      yield choice;
      return undefined;
    }
    for (const entry of writes) {
      const choice = this.#choice(at, entry);
      if (choice !== undefined) yield choice;
    }
    const firstReturn = due[0]?.returnedAt ?? 0;
    for (const entry of this.#list.unreturned) {
      if (entry.calledAt > firstReturn) break;
      const twin = this.#twins[entry.index];
      if (this.#linearized.has(entry) || (twin !== undefined && !this.#linearized.has(twin))) continue;
      const choice = this.#choice(at, entry);
      if (choice !== undefined) yield choice;
    }
    return undefined;
  }

  #choice(
    { state: from, spared: sparedFrom }: Pick<Choice<State, Input, Output>, "state" | "spared">,
    entry: Entry<Input, Output>,
  ): Choice<State, Input, Output> | undefined {
    const model = this.#model;
    const { operation, output } = entry;
    if (sparedFrom !== undefined && model.isOverwrite?.(operation.input, output)) return undefined;
    const state = this.#step(from, entry);
    if (state === undefined) return undefined;
    const spared = sparedFrom === undefined ? undefined : this.#step(sparedFrom, entry);
    if (spared !== undefined && model.key(spared) === model.key(state)) return undefined;
    if (output !== pending) return { entry, state, spared };
    return model.key(from) === model.key(state) ? undefined : { entry, state, spared: from };
  }

  #step(state: State, { operation, output }: Entry<Input, Output>): State | undefined {
    this.#steps += 1;
    return this.#model.step(state, operation.input, output);
  }

  #isRead({ operation, output }: Entry<Input, Output>): boolean {
    return this.#model.isRead?.(operation.input, output) === true;
  }

  #stopAt(
    longest: Place<State, Input, Output>,
    linearizable: false | undefined,
  ): NotLinearizable<Input, Output> {
    const prefix = entriesUpTo(longest);
    const due = dueAfter(prefix, this.#list);
    const lines = describeDeadEnd(this.#model, longest.state, prefix, due);
    return {
      linearizable,
      steps: this.#steps,
      prefix: prefix.map(({ operation }) => operation),
      blocked: due.blocked.map(({ operation }) => operation),
      explanation: linearizable === false ? lines : [`undecided after ${this.#stepsMax} steps`, ...lines],
    };
  }
}

function twinsOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  unreturned: readonly Entry<Input, Output>[],
): (Entry<Input, Output> | undefined)[] {
  const last = new Map<string, Entry<Input, Output>>();
  return unreturned.map(entry => {
    const key = model.inputKey?.(entry.operation.input);
    if (key === undefined) return undefined;
    const twin = last.get(key);
    last.set(key, entry);
    return twin;
  });
}

function entriesUpTo<State, Input, Output>(last: Place<State, Input, Output>): Entry<Input, Output>[] {
  const entries: Entry<Input, Output>[] = [];
  for (let place = last; place.before !== undefined; place = place.before) {
    if (place.entry !== undefined) entries.push(place.entry);
  }
  return entries.reverse();
}
