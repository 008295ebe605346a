interface Entry<Target> {
  readonly targets: Set<Target>;
  readonly listener: () => void;
}

/**
 * What ends when a caller's signal does. One listener per signal, however many targets share it: to add and remove one
 * of thousands takes microseconds.
 */
export class AbortListeners<Target> {
  readonly #entries = new Map<AbortSignal, Entry<Target>>();

  /** Calls `onAbort` with the target once the signal aborts, unless it was removed before. */
  add(signal: AbortSignal, target: Target, onAbort: (target: Target) => void): void {
    let entry = this.#entries.get(signal);
    if (entry === undefined) {
      const targets = new Set<Target>();
      const listener = () => {
        this.#entries.delete(signal);
        for (const aborted of targets) onAbort(aborted);
      };
      entry = { targets, listener };
      this.#entries.set(signal, entry);
      signal.addEventListener("abort", listener, { once: true });
    }
    entry.targets.add(target);
  }

  remove(signal: AbortSignal, target: Target): void {
    const entry = this.#entries.get(signal);
    if (entry === undefined) return;
    entry.targets.delete(target);
    if (entry.targets.size > 0) return;
    this.#entries.delete(signal);
    signal.removeEventListener("abort", entry.listener);
  }
}
