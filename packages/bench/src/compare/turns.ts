/** A slice to be measured; repeat 0 warms up. */
export interface PlannedTurn<T> {
  readonly of: T;
  readonly clients: number;
  readonly repeat: number;
}

/**
 * Repeats outermost, so that drift of the machine hits all alike. In each repeat another one begins, and who follows
 * whom changes: what one leaves behind, as a heap to be collected, does not always hit the same neighbour.
 */
export function turnsOf<T>(
  all: readonly T[],
  clients: readonly number[],
  repeats: number,
): readonly PlannedTurn<T>[] {
  const order = neighbourless(all.length);
  const plan: PlannedTurn<T>[] = [];
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const number of clients) {
      for (const place of order) {
        plan.push({ of: all[(repeat + place) % all.length]!, clients: number, repeat });
      }
    }
  }
  return plan;
}

/**
 * 0, 1, n-1, 2, n-2 and so on: the steps between neighbours are all different, so that shifted by one again and again
 * no two follow each other twice until all have begun (Williams, 1949).
 */
function neighbourless(count: number): number[] {
  const order: number[] = [];
  for (let index = 0; index < count; index++) {
    order.push(index % 2 === 1 ? (index + 1) / 2 : (count - index / 2) % count);
  }
  return order;
}
