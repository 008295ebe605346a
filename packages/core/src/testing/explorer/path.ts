import { assert } from "../../assert.js";
import type { CommandSegment } from "../../batch.js";
import { describeMessage } from "../describe.js";
import { decodeCommand } from "../values.js";
import { includesAll } from "./inputs.js";
import type { Space, Step } from "./space.js";
import type { Symmetry } from "./symmetry.js";

const verbs = {
  campaign: "campaigns",
  propose: "is proposed commands by a client",
  tick: "is told that time has passed",
  restart: "restarts",
} as const;

/** Commands by their numbers. */
function numbersOf({ bytes, skip, count }: CommandSegment): string {
  return Array.from({ length: count }, (_, position) => decodeCommand(bytes, skip + position)).join(" ");
}

/** A step with the names that its actors have in the whole path. */
interface NamedStep extends Step {
  readonly name: string;
  readonly from: string;
}

/**
 * Tells how the last of `states` was reached, each being a canonical successor of the one before, and then what led
 * on from it. Where the canonical form exchanged acceptors, their names are exchanged back.
 */
export function describePath(
  space: Space,
  symmetry: Symmetry,
  states: readonly Int32Array[],
  last: { readonly actor: number; readonly after: number },
): string[] {
  const steps: NamedStep[] = [];
  let names = space.addresses;
  const add = (step: Step) => {
    const input = space.network.inputs.things[step.input]!;
    const from = input.kind === "deliver" ? names[space.addresses.indexOf(input.from)]! : "";
    steps.push({ ...step, name: names[step.actor]!, from });
  };
  states.forEach((state, index) => {
    const next = states[index + 1];
    const { first, silent, order } = stepTo(space, symmetry, state, next, last);
    add(first);
    for (const step of silent) add(step);
    if (next !== undefined) names = symmetry.renamed(names, order);
  });
  return relevant(space, steps).map(step => describeStep(space, step));
}

interface FoundStep {
  readonly first: Step;
  readonly silent: readonly Step[];
  readonly order: number;
}

/** The step, with the silent ones that follow it, from a state to the next one, or to what `last` says. */
function stepTo(
  space: Space,
  symmetry: Symmetry,
  state: Int32Array,
  next: Int32Array | undefined,
  last: { readonly actor: number; readonly after: number },
): FoundStep {
  for (const step of space.explainedSteps(state)) {
    if (step.after === step.before) continue;
    if (next === undefined) {
      if (step.actor === last.actor && step.after === last.after)
        return { first: step, silent: [], order: 0 };
      continue;
    }
    const tuple = Int32Array.from(state);
    tuple[step.actor] = step.after;
    if (space.tables[step.actor]!.at(step.after).violation !== undefined) continue;
    space.settle(tuple, step.actor);
    const settled = Int32Array.from(tuple);
    const order = symmetry.canonicalise(tuple);
    if (tuple.some((local, actor) => local !== next[actor])) continue;
    return { first: step, silent: silentSteps(space, state, step, settled), order };
  }
  assert(false, "every state has a step to its successor");
}

/** Silent steps after `first`, until `settled` is reached. */
function silentSteps(space: Space, state: Int32Array, first: Step, settled: Int32Array): Step[] {
  const steps: Step[] = [];
  const tuple = Int32Array.from(state);
  tuple[first.actor] = first.after;
  while (tuple.some((local, actor) => local !== settled[actor])) {
    const before = steps.length;
    for (const step of space.explainedSteps(tuple)) {
      const table = space.tables[step.actor]!;
      if (tuple[step.actor] !== step.before || step.after === step.before) continue;
      if (!table.isSilent(step.before, step.after)) continue;
      tuple[step.actor] = step.after;
      steps.push(step);
    }
    assert(steps.length > before, "silent steps lead to the settled state");
  }
  return steps;
}

/** Leaves out silent steps whose messages nobody in the path receives. */
function relevant(space: Space, steps: readonly NamedStep[]): NamedStep[] {
  const needed = new Set<string>();
  const kept: NamedStep[] = [];
  for (const step of [...steps].reverse()) {
    const isSilent = space.tables[step.actor]!.isSilent(step.before, step.after);
    const isNeeded = sentBy(space, step).some(message => needed.has(`${step.name} ${message}`));
    if (isSilent && !isNeeded) continue;
    kept.push(step);
    const input = space.network.inputs.things[step.input]!;
    if (input.kind === "deliver") needed.add(`${step.from} ${input.message}`);
  }
  return kept.reverse();
}

/** Numbers of the messages that the step sent and that had not been sent before. */
function sentBy(space: Space, { actor, before, after }: Step): number[] {
  const table = space.tables[actor]!;
  const known = table.at(before).sent;
  return table
    .at(after)
    .sent.filter(sent => !includesAll(known, [sent]))
    .map(({ message }) => message);
}

function describeStep(space: Space, step: NamedStep): string {
  const { messages, inputs } = space.network;
  const told = (number: number) => describeMessage(messages.things[number]!, numbersOf);
  const input = inputs.things[step.input]!;
  const sent = sentBy(space, step).map(told);
  const says = sent.length === 0 ? "" : ` => ${sent.join(" | ")}`;
  if (input.kind !== "deliver") return `${step.name} ${verbs[input.kind]}${says}`;
  const crash = input.crash === "never" ? "" : `, crashes ${input.crash} and restarts`;
  return `${step.name} gets from ${step.from}: ${told(input.message)}${crash}${says}`;
}
