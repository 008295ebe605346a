interface Queued<Event> {
  readonly at: number;
  readonly order: number;
  readonly event: Event;
}

/** Events by virtual time; those of the same time in the order in which they were added. */
export class EventQueue<Event> {
  readonly #heap: Queued<Event>[] = [];
  #order = 0;

  get length(): number {
    return this.#heap.length;
  }

  add(at: number, event: Event): void {
    const heap = this.#heap;
    const queued = { at, order: this.#order++, event };
    let position = heap.length;
    heap.push(queued);
    while (position > 0) {
      const parent = (position - 1) >>> 1;
      const above = heap[parent] as Queued<Event>;
      if (!isBefore(queued, above)) break;
      heap[position] = above;
      position = parent;
    }
    heap[position] = queued;
  }

  take(): { readonly at: number; readonly event: Event } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let position = 0;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Queued<Event>)) child += 1;
      const below = heap[child] as Queued<Event>;
      if (!isBefore(below, last)) break;
      heap[position] = below;
      position = child;
    }
    heap[position] = last;
    return first;
  }
}

function isBefore(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
