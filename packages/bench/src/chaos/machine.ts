import type { StateMachine } from "@synod/runtime";

/** Counts are spread over so many shards, so that a snapshot has a size that matters. */
export const shards = 4096;
/** Cells of so many generations are kept: many times as long as an operation can be under way. */
const generationsKept = 128;
/** Numbers in one chunk of a snapshot. */
const chunkEntries = 256;

interface Cell {
  readonly generation: number;
  readonly slot: number;
}

/** What is checked for linearizability: operations on a cell, which begins with 0. */
type CellCommand =
  | (Cell & { readonly op: "get" })
  | (Cell & { readonly op: "set"; readonly value: number })
  | (Cell & { readonly op: "cas"; readonly expected: number; readonly value: number })
  | (Cell & { readonly op: "increment" });

/** What is only counted: `counter` has one writer. */
interface CountCommand {
  readonly op: "count";
  readonly counter: number;
  readonly shard: number;
}

export type ChaosCommand = CellCommand | CountCommand;

export type ChaosQuery = (Cell & { readonly op: "get" }) | { readonly op: "totals" };

/** All that was counted. */
export interface Totals {
  /** By counter. */
  readonly counters: readonly (readonly [number, number])[];
  /** The same once more, by shard, and added up. */
  readonly shardSum: number;
  /** Commands of all kinds. */
  readonly applied: number;
}

type Chunk =
  | { readonly kind: "applied"; readonly applied: number }
  | { readonly kind: "counters"; readonly entries: readonly (readonly [number, number])[] }
  | { readonly kind: "shards"; readonly from: number; readonly values: readonly number[] }
  | {
      readonly kind: "cells";
      readonly generation: number;
      readonly entries: readonly (readonly [number, number])[];
    };

/**
 * The state machine of the chaos runs. Cells belong to generations, which follow one another in time: old ones are
 * dropped, so that the state stays bounded however long a run takes.
 */
export default class ChaosMachine
  implements StateMachine<ChaosCommand, number | boolean, ChaosQuery, number | Totals, Chunk>
{
  static readonly moduleUrl: string = import.meta.url;
  readonly #counters = new Map<number, number>();
  readonly #shards = new Array<number>(shards).fill(0);
  readonly #generations = new Map<number, Map<number, number>>();
  #applied = 0;

  /** The new value of a counter or cell, the value that was read, or whether a `cas` replaced it. */
  apply(command: ChaosCommand): number | boolean {
    this.#applied++;
    if (command.op === "count") return this.#count(command);
    const cells = this.#cells(command.generation);
    const value = cells.get(command.slot) ?? 0;
    switch (command.op) {
      case "get":
        return value;
      case "set":
        cells.set(command.slot, command.value);
        return command.value;
      case "cas":
        if (value !== command.expected) return false;
        cells.set(command.slot, command.value);
        return true;
      case "increment":
        cells.set(command.slot, value + 1);
        return value + 1;
    }
  }

  query(query: ChaosQuery): number | Totals {
    if (query.op === "get") return this.#generations.get(query.generation)?.get(query.slot) ?? 0;
    const shardSum = this.#shards.reduce((sum, value) => sum + value, 0);
    return { counters: [...this.#counters], shardSum, applied: this.#applied };
  }

  *snapshot(): Generator<Chunk> {
    yield { kind: "applied", applied: this.#applied };
    const counters = [...this.#counters];
    for (let from = 0; from < counters.length; from += chunkEntries) {
      yield { kind: "counters", entries: counters.slice(from, from + chunkEntries) };
    }
    for (let from = 0; from < shards; from += chunkEntries) {
      yield { kind: "shards", from, values: this.#shards.slice(from, from + chunkEntries) };
    }
    for (const [generation, cells] of this.#generations) {
      yield { kind: "cells", generation, entries: [...cells] };
    }
  }

  async restore(chunks: AsyncIterable<Chunk>): Promise<void> {
    this.#counters.clear();
    this.#generations.clear();
    this.#shards.fill(0);
    for await (const chunk of chunks) {
      switch (chunk.kind) {
        case "applied":
          this.#applied = chunk.applied;
          break;
        case "counters":
          for (const [counter, total] of chunk.entries) this.#counters.set(counter, total);
          break;
        case "shards":
          for (const [index, value] of chunk.values.entries()) this.#shards[chunk.from + index] = value;
          break;
        case "cells":
          this.#generations.set(chunk.generation, new Map(chunk.entries));
          break;
      }
    }
  }

  #count({ counter, shard }: CountCommand): number {
    const total = (this.#counters.get(counter) ?? 0) + 1;
    this.#counters.set(counter, total);
    this.#shards[shard % shards]!++;
    return total;
  }

  #cells(generation: number): Map<number, number> {
    let cells = this.#generations.get(generation);
    if (cells !== undefined) return cells;
    cells = new Map();
    this.#generations.set(generation, cells);
    if (this.#generations.size > generationsKept) {
      this.#generations.delete(Math.min(...this.#generations.keys()));
    }
    return cells;
  }
}

export { ChaosMachine };
