interface Invocation<Input> {
  readonly client: number;
  readonly invokedAt: number;
  readonly input: Input;
}

/** What one client did, as seen from outside: from when to when, on whatever clock all clients share. */
export type Operation<Input, Output> =
  | (Invocation<Input> & { readonly returnedAt: number; readonly output: Output })
  /** Never returned: it may have taken effect at any time since, or never. */
  | (Invocation<Input> & { readonly returnedAt?: undefined; readonly output?: undefined });

/**
 * Splits a history into those of independent objects. A history is linearizable if and only if each of them is, and
 * they are much quicker to check one by one.
 *
 * Sources: Herlihy and Wing, "Linearizability" (1990), theorem 1, locality; Horn and Kroening, "Faster
 * linearizability checking via P-compositionality" (2015).
 */
export function partitionByKey<Key, Input, Output>(
  history: Iterable<Operation<Input, Output>>,
  keyOf: (input: Input) => Key,
): Map<Key, Operation<Input, Output>[]> {
  const parts = new Map<Key, Operation<Input, Output>[]>();
  for (const operation of history) {
    const key = keyOf(operation.input);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [operation]);
    else part.push(operation);
  }
  return parts;
}
