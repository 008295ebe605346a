import type { QuorumSizes } from "../../quorum.js";
import type { InstanceValue } from "../values.js";
import { IntPairMap } from "./int-pair-map.js";
import type { LocalStates } from "./local-states.js";

/** What the acceptors' durable votes amount to, counted without the code of the roles. */
interface Count {
  readonly violation: string | undefined;
  /** By instance: the text of the chosen value. */
  readonly chosen: readonly (string | undefined)[];
  readonly chosenBelow: number;
  readonly trimmedBelow: number;
}

/** Checks of whole states; what one actor can break by itself is checked where it acts. */
export class Invariants {
  readonly #tables: readonly LocalStates[];
  readonly #quorums: QuorumSizes;
  readonly #firstAcceptor: number;
  readonly #firstLearner: number;
  /** Folds the acceptors' local states into one number. */
  readonly #folds: IntPairMap[] = [];
  readonly #counts: Count[] = [];
  #folded = 0;

  constructor(tables: readonly LocalStates[], quorums: QuorumSizes) {
    this.#tables = tables;
    this.#quorums = quorums;
    this.#firstAcceptor = tables.findIndex(({ role }) => role === "acceptor");
    const firstLearner = tables.findIndex(({ role }) => role === "learner");
    this.#firstLearner = firstLearner < 0 ? tables.length : firstLearner;
    for (let actor = this.#firstAcceptor; actor < this.#firstLearner; actor++)
      this.#folds.push(new IntPairMap());
  }

  /** The invariant that a state breaks, if it breaks one. */
  violationOf(tuple: Int32Array): string | undefined {
    const count = this.#countOf(tuple);
    if (count.violation !== undefined) return count.violation;
    let publishedBelow = this.#firstLearner < tuple.length ? 0 : count.chosenBelow;
    for (let actor = 0; actor < tuple.length; actor++) {
      if (actor >= this.#firstAcceptor && actor < this.#firstLearner) continue;
      const {
        chosenBelow,
        handedOn,
        publishedBelow: published,
      } = this.#tables[actor]!.at(tuple[actor]!).observation;
      if (chosenBelow > count.chosenBelow) return "a proposer takes for chosen what is chosen";
      for (const { instance, value } of handedOn) {
        if (count.chosen[instance] !== value.text) {
          return `a learner hands on what is chosen: not ${nameOf(value)} for instance ${instance}`;
        }
      }
      publishedBelow = Math.max(publishedBelow, published);
    }
    if (count.trimmedBelow > publishedBelow) return "nothing is trimmed that is not in a published snapshot";
    return undefined;
  }

  #countOf(tuple: Int32Array): Count {
    let fold = 0;
    for (let actor = this.#firstAcceptor; actor < this.#firstLearner; actor++) {
      const folds = this.#folds[actor - this.#firstAcceptor]!;
      let next = folds.get(fold, tuple[actor]!);
      if (next < 0) {
        const isLast = actor === this.#firstLearner - 1;
        next = isLast ? this.#counts.push(this.#count(tuple)) - 1 : this.#folded++;
        folds.set(fold, tuple[actor]!, next);
      }
      fold = next;
    }
    return this.#counts[fold]!;
  }

  #count(tuple: Int32Array): Count {
    const values = new Map<string, { readonly text: string; readonly name: string; votes: number }>();
    const chosen: { readonly text: string; readonly what: string }[] = [];
    let trimmedBelow = 0;
    let violation: string | undefined;
    for (let actor = this.#firstAcceptor; actor < this.#firstLearner; actor++) {
      const { observation } = this.#tables[actor]!.at(tuple[actor]!);
      trimmedBelow = Math.max(trimmedBelow, observation.trimmedBelow);
      for (const { ballot, instance, value } of observation.votes) {
        const key = `${ballot}/${instance}`;
        const counted = values.get(key) ?? { text: value.text, name: nameOf(value), votes: 0 };
        values.set(key, counted);
        if (counted.text !== value.text) violation ??= `one value per ballot and instance: ${key}`;
        counted.votes += 1;
        if (counted.votes !== this.#quorums.accept) continue;
        const what = `${counted.name} in ballot ${ballot}`;
        const other = chosen[instance];
        if (other === undefined) chosen[instance] = { text: counted.text, what };
        else if (other.text !== counted.text) {
          violation ??= `two values are chosen for instance ${instance}: ${other.what} and ${what}`;
        }
      }
    }
    let chosenBelow = 0;
    while (chosen[chosenBelow] !== undefined) chosenBelow += 1;
    return { violation, chosen: Array.from(chosen, entry => entry?.text), chosenBelow, trimmedBelow };
  }
}

/** A value as a reader knows it: the number of a command, or what stands in its place. */
function nameOf({ kind, command }: InstanceValue): string {
  return kind === "commands" ? `command ${command}` : kind;
}
