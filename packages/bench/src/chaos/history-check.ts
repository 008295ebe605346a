import { checkLinearizability, type Operation } from "@synod/core/testing";
import { type CellInput, type CellOutput, cellModel } from "./cell-model.js";
import type { JournalRecord } from "./journal.js";

type CellOperation = Operation<CellInput, CellOutput>;

/** Keys of generations to come: see {@link generationOf}. */
export interface Generations {
  /** The start of generation 0, in milliseconds of the common clock. */
  readonly originMs: number;
  /** Of one generation. */
  readonly durationMs: number;
}

/** Every operation belongs to the generation in which it is called, and works on a cell of it. */
export function generationOf({ originMs, durationMs }: Generations, atMs: number): number {
  return Math.floor((atMs - originMs) / durationMs);
}

interface OpenCall {
  readonly generation: number;
  readonly slot: number;
  readonly input: CellInput;
  readonly invokedAt: number;
}

interface Source {
  readonly open: Map<number, OpenCall>;
  /** Nothing that it notes from now on is older. */
  latestMs: number;
}

/** What the check has done so far. */
export interface HistoryCounts {
  /** Operations of checked histories; those without an answer apart. */
  readonly operations: number;
  readonly unanswered: number;
  readonly histories: number;
  readonly notLinearizable: number;
  /** Histories about which the checker gave up. */
  readonly undecided: number;
}

/**
 * Collects what clients note into one history per cell, and checks each as soon as it is complete: when its
 * generation is over for every client, and none has an operation on it under way. Then it is forgotten, so that
 * memory stays bounded however long the run.
 */
export class HistoryCheck {
  readonly #generations: Generations;
  readonly #onViolation: (text: string) => void;
  readonly #sources = new Map<number, Source>();
  /** By generation, then by slot. */
  readonly #histories = new Map<number, Map<number, CellOperation[]>>();
  readonly #counts = { operations: 0, unanswered: 0, histories: 0, notLinearizable: 0, undecided: 0 };

  constructor(generations: Generations, onViolation: (text: string) => void) {
    this.#generations = generations;
    this.#onViolation = onViolation;
  }

  get counts(): HistoryCounts {
    return { ...this.#counts };
  }

  /** Calls that have not returned, of clients that have not ended. */
  get open(): number {
    return [...this.#sources.values()].reduce((sum, { open }) => sum + open.size, 0);
  }

  /** A client that notes nothing from before `sinceMs`. To be told before it begins. */
  add(client: number, sinceMs: number): void {
    this.#sources.set(client, { open: new Map(), latestMs: sinceMs });
  }

  /** The next thing that a client has noted. */
  record(client: number, record: JournalRecord): void {
    const source = this.#sources.get(client)!;
    if (record.kind === "probe") {
      source.latestMs = Math.max(source.latestMs, record.returnedAtMs);
      return;
    }
    source.latestMs = Math.max(source.latestMs, record.atMs);
    if (record.kind === "call") {
      const { number, generation, slot, input, atMs: invokedAt } = record;
      source.open.set(number, { generation, slot, input, invokedAt });
      return;
    }
    const call = source.open.get(record.number)!;
    source.open.delete(record.number);
    if (record.kind === "return") {
      this.#add(call, { ...operation(client, call), returnedAt: record.atMs, output: record.output });
    } else if (record.outcome === "unknown") this.#addUnanswered(client, call);
  }

  /** When the call was made to which a return belongs. */
  calledAtMs(client: number, number: number): number {
    return this.#sources.get(client)!.open.get(number)!.invokedAt;
  }

  /** A client's thread has gone, and all that it noted was told: what it had under way may take effect at any time. */
  ended(client: number): void {
    for (const call of this.#sources.get(client)?.open.values() ?? []) this.#addUnanswered(client, call);
    this.#sources.delete(client);
  }

  /** Checks what is complete; with `all` everything, because nobody calls any more. */
  check(all = false): void {
    const completeBelow = all ? Number.POSITIVE_INFINITY : this.#completeBelow();
    for (const [generation, cells] of this.#histories) {
      if (generation >= completeBelow) continue;
      this.#histories.delete(generation);
      for (const [slot, history] of cells) this.#checkCell(`cell ${generation}/${slot}`, history);
    }
  }

  #completeBelow(): number {
    let below = Number.POSITIVE_INFINITY;
    for (const { latestMs, open } of this.#sources.values()) {
      below = Math.min(below, generationOf(this.#generations, latestMs));
      for (const { generation } of open.values()) below = Math.min(below, generation);
    }
    return below;
  }

  #addUnanswered(client: number, call: OpenCall): void {
    this.#counts.unanswered++;
    this.#add(call, operation(client, call));
  }

  #add({ generation, slot }: OpenCall, operation: CellOperation): void {
    let cells = this.#histories.get(generation);
    if (cells === undefined) {
      cells = new Map();
      this.#histories.set(generation, cells);
    }
    const history = cells.get(slot);
    if (history === undefined) cells.set(slot, [operation]);
    else history.push(operation);
  }

  #checkCell(name: string, history: readonly CellOperation[]): void {
    this.#counts.histories++;
    this.#counts.operations += history.length;
    const result = checkLinearizability(cellModel, history);
    if (result.linearizable === true) return;
    if (result.linearizable === undefined) this.#counts.undecided++;
    else this.#counts.notLinearizable++;
    const what = result.linearizable === undefined ? "undecided" : "not linearizable";
    this.#onViolation([`${name} is ${what}:`, ...result.explanation].join("\n"));
  }
}

function operation(client: number, { input, invokedAt }: OpenCall) {
  return { client, input, invokedAt };
}
