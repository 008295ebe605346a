/** A change of one key of a replica. */
export type KeyValueChange<Value = unknown> =
  | { readonly kind: "set"; readonly key: string; readonly value: Value; readonly version: number }
  | {
      /** By a command, or because its time was over. */
      readonly kind: "delete" | "expire";
      readonly key: string;
      readonly value: undefined;
      /** Position of the command that removed it. */
      readonly version: number;
    };

/** Is told of each change, after the command that made it was applied. */
export type KeyValueListener<Value = unknown> = (change: KeyValueChange<Value>) => void;

/** What is watched: one key, or all that begin alike. */
export type KeyValueWatched = string | { readonly prefix: string };

interface Versioned<Value> {
  readonly value: Value;
  readonly version: number;
}

interface Watcher<Value> {
  readonly listener: KeyValueListener<Value>;
  isOpen: boolean;
}

/**
 * Tells listeners of changes, in order, in a microtask: when they run, the commands that came together are applied.
 * They may read the state, stop watching and throw, and neither the state nor another listener notices. What one throws
 * becomes an uncaught exception of its thread, as with any event emitter.
 */
export class Watchers<Value> {
  readonly #byKey = new Map<string, Set<Watcher<Value>>>();
  readonly #byPrefix = new Map<string, Set<Watcher<Value>>>();
  #untold: (readonly [Watcher<Value>, KeyValueChange<Value>])[] = [];

  get isEmpty(): boolean {
    return this.#byKey.size === 0 && this.#byPrefix.size === 0;
  }

  /** Returns what ends it; from then on the listener is not called any more. */
  add(watched: KeyValueWatched, listener: KeyValueListener<Value>): () => void {
    const isKey = typeof watched === "string";
    const group = isKey ? this.#byKey : this.#byPrefix;
    const name = isKey ? watched : watched.prefix;
    const watcher = { listener, isOpen: true };
    const watchers = group.get(name) ?? new Set();
    group.set(name, watchers.add(watcher));
    return () => {
      watcher.isOpen = false;
      watchers.delete(watcher);
      if (watchers.size === 0 && group.get(name) === watchers) group.delete(name);
    };
  }

  note(change: KeyValueChange<Value>): void {
    const wasQuiet = this.#untold.length === 0;
    const { key } = change;
    for (const watcher of this.#byKey.get(key) ?? []) this.#untold.push([watcher, change]);
    for (const [prefix, watchers] of this.#byPrefix) {
      if (!key.startsWith(prefix)) continue;
      for (const watcher of watchers) this.#untold.push([watcher, change]);
    }
    if (wasQuiet && this.#untold.length > 0) queueMicrotask(() => this.#tell());
  }

  /** What is different after a snapshot was restored: keys of another version, and keys that are gone. */
  noteRestored(
    before: ReadonlyMap<string, Versioned<Value>>,
    after: ReadonlyMap<string, Versioned<Value>>,
    instance: number,
  ): void {
    for (const [key, { value, version }] of after) {
      if (before.get(key)?.version !== version) this.note({ kind: "set", key, value, version });
    }
    for (const key of before.keys()) {
      if (!after.has(key)) this.note({ kind: "delete", key, value: undefined, version: instance });
    }
  }

  #tell(): void {
    const untold = this.#untold;
    this.#untold = [];
    for (const [watcher, change] of untold) {
      if (!watcher.isOpen) continue;
      try {
        watcher.listener(change);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
