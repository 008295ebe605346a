import type { AppliedAt, StateMachine } from "./state-machine.js";

export type KeyValueCommand =
  | { readonly op: "set"; readonly key: string; readonly value: unknown }
  | { readonly op: "delete"; readonly key: string };

export type KeyValueQuery =
  | { readonly op: "get"; readonly key: string }
  | { readonly op: "has"; readonly key: string }
  | { readonly op: "size" };

/**
 * A replicated map from strings to anything that survives the encoding. `set` returns the log position of the
 * change, which only grows; `delete` returns the position too, or -1 when there was nothing to delete.
 */
export default class KeyValueStore
  implements StateMachine<KeyValueCommand, number, KeyValueQuery, unknown, [string, unknown][]>
{
  static readonly moduleUrl: string = import.meta.url;
  readonly #map = new Map<string, unknown>();

  apply(command: KeyValueCommand, at: AppliedAt): number {
    switch (command.op) {
      case "set":
        this.#map.set(command.key, command.value);
        return at.instance;
      case "delete":
        return this.#map.delete(command.key) ? at.instance : -1;
      default:
        throw new TypeError(`unknown operation ${JSON.stringify((command as { op?: unknown }).op)}`);
    }
  }

  query(query: KeyValueQuery): unknown {
    switch (query.op) {
      case "get":
        return this.#map.get(query.key);
      case "has":
        return this.#map.has(query.key);
      case "size":
        return this.#map.size;
      default:
        throw new TypeError(`unknown query ${JSON.stringify((query as { op?: unknown }).op)}`);
    }
  }

  *snapshot(): Generator<[string, unknown][]> {
    let chunk: [string, unknown][] = [];
    for (const entry of this.#map) {
      chunk.push(entry);
      if (chunk.length < 1000) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
  }

  async restore(chunks: AsyncIterable<[string, unknown][]>): Promise<void> {
    this.#map.clear();
    for await (const chunk of chunks) for (const [key, value] of chunk) this.#map.set(key, value);
  }
}

export { KeyValueStore };
