import { type Model, type Operation, pending } from "@synod/core/testing";

/** Linearizability by its definition: every order of every choice of the operations that never returned is tried. */
export function isLinearizableByForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): boolean {
  const returned = history.filter(({ returnedAt }) => returnedAt !== undefined);
  const unreturned = history.filter(({ returnedAt }) => returnedAt === undefined);
  return subsets(unreturned).some(chosen =>
    permutations([...returned, ...chosen]).some(order => explains(model, order)),
  );
}

/** Whether an order agrees with time, and with the model. */
export function explains<State, Input, Output>(
  model: Model<State, Input, Output>,
  order: readonly Operation<Input, Output>[],
): boolean {
  const inTime = order.every((later, at) =>
    order
      .slice(0, at)
      .every(earlier => !(later.returnedAt !== undefined && later.returnedAt < earlier.invokedAt)),
  );
  let state: State | undefined = model.initial;
  for (const { input, returnedAt, output } of order) {
    if (state === undefined) return false;
    state = model.step(state, input, returnedAt === undefined ? pending : output);
  }
  return inTime && state !== undefined;
}

function subsets<Item>([first, ...rest]: readonly Item[]): Item[][] {
  if (first === undefined) return [[]];
  return subsets(rest).flatMap(subset => [subset, [first, ...subset]]);
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations(items.toSpliced(at, 1)).map(permutation => [item, ...permutation]),
  );
}
