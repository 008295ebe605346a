import { type Model, type Operation, pending, Random } from "@synod/core/testing";

interface Load<Input> {
  readonly seed: number;
  readonly clients: number;
  readonly operations: number;
  /** Share of operations that never return; half of them never take effect either. Their client goes on. */
  readonly unreturned?: number;
  readonly draw: (random: Random, operation: number) => Input;
}

/**
 * A linearizable history: clients work at the same time without a pause, each operation takes effect at a drawn moment
 * while it is under way, and now and then one takes very long. `outputOf` does what `model` checks.
 */
export function linearizableHistory<State, Input, Output>(
  model: Model<State, Input, Output>,
  outputOf: (state: State, input: Input) => Output,
  { seed, clients, operations, unreturned = 0, draw }: Load<Input>,
): Operation<Input, Output>[] {
  const random = new Random(seed);
  const freeAt = new Array<number>(clients).fill(0);
  const drawn = Array.from({ length: operations }, (_, operation) => {
    const client = freeAt.indexOf(Math.min(...freeAt));
    const invokedAt = (freeAt[client] as number) + random.between(0, 5);
    const duration = random.between(2, random.chance(0.01) ? 2000 : 100);
    freeAt[client] = invokedAt + duration;
    const returns = !random.chance(unreturned);
    const effectAt = invokedAt + random.between(0, duration) + (returns ? 0 : random.pick([2000, Infinity]));
    return {
      client,
      invokedAt,
      effectAt,
      returnedAt: returns ? invokedAt + duration : undefined,
      input: draw(random, operation),
    };
  });
  let state = model.initial;
  const history: Operation<Input, Output>[] = [];
  for (const { effectAt, returnedAt, ...invocation } of drawn.toSorted((a, b) => a.effectAt - b.effectAt)) {
    if (effectAt === Infinity) {
      history.push(invocation);
      continue;
    }
    const output = outputOf(state, invocation.input);
    state = model.step(state, invocation.input, pending) as State;
    history.push(returnedAt === undefined ? invocation : { ...invocation, returnedAt, output });
  }
  return history.sort((a, b) => a.invokedAt - b.invokedAt);
}
