import { ApplyFailure, type Results } from "@synod/core";
import type { BulkCommands } from "./bulk-commands.js";
import { CommandBytes } from "./bulk-commands.js";
import { SynodError } from "./errors.js";
import { type CommandFailure, ProposeAllError } from "./propose-all-error.js";
import { NoResults } from "./result-codec.js";

/** Many commands with one promise: which of them are sent, and what has come of them. */
export class BulkCall {
  readonly commands: BulkCommands;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly promise: Promise<unknown>;
  /** Commands before this one have been sent, or never will be. */
  next = 0;
  #resolve!: (results: unknown) => void;
  #reject!: (error: ProposeAllError) => void;
  #unsettled: number;
  #results: unknown[] | Float64Array | undefined;
  #failures: CommandFailure[] = [];

  constructor(commands: BulkCommands, deadline: number, signal: AbortSignal | undefined) {
    this.commands = commands;
    this.deadline = deadline;
    this.signal = signal;
    this.#unsettled = commands.count;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  /** Results of the commands from `index` on. */
  settle(index: number, results: Results): void {
    const isWhole = results.length === this.commands.count;
    if (results instanceof Float64Array) {
      if (isWhole) this.#results = results;
      else this.#numbers().set(results, index);
    } else if (!(results instanceof NoResults)) this.#settleEach(index, results, isWhole);
    this.#settled(results.length);
  }

  /** So many commands from `index` on have failed. */
  fail(index: number, count: number, error: SynodError): void {
    this.#failures.push({ index, count, error });
    this.#settled(count);
  }

  /** Gives up what is not sent. */
  cancelRest(error: SynodError): void {
    const { next } = this;
    const { count } = this.commands;
    this.next = count;
    if (next < count) this.fail(next, count - next, error);
  }

  #settleEach(index: number, results: Results, isWhole: boolean): void {
    const isList = Array.isArray(results) && !(this.commands instanceof CommandBytes);
    if (isWhole && isList && !results.some(isFailure)) {
      this.#results = results;
      return;
    }
    for (let at = 0; at < results.length; at++) {
      const result = results[at];
      if (isFailure(result)) this.#noteThrown(index + at, result.reason);
      else if (this.commands instanceof CommandBytes) {
        if (result !== undefined) this.#numbers()[index + at] = result as number;
      } else this.#list()[index + at] = result;
    }
  }

  #list(): unknown[] {
    this.#results ??= new Array<unknown>(this.commands.count).fill(undefined);
    return this.#results as unknown[];
  }

  #numbers(): Float64Array {
    this.#results ??= new Float64Array(this.commands.count).fill(Number.NaN);
    return this.#results as Float64Array;
  }

  #noteThrown(index: number, reason: string): void {
    const message = `the state machine threw: ${reason}`;
    const last = this.#failures.at(-1)?.error;
    const isSame = last?.code === "STATE_MACHINE_FAILED" && last.message === message;
    const error = isSame ? last : new SynodError("STATE_MACHINE_FAILED", message);
    this.#failures.push({ index, count: 1, error });
  }

  #settled(count: number): void {
    this.#unsettled -= count;
    if (this.#unsettled > 0) return;
    const isBytes = this.commands instanceof CommandBytes;
    if (this.#failures.length === 0) return this.#resolve(this.#results);
    const failures = joined(this.#failures.sort((a, b) => a.index - b.index));
    const results = isBytes ? this.#results : this.#list();
    this.#reject(new ProposeAllError(failures, results, this.commands.count));
  }
}

function isFailure(result: unknown): result is ApplyFailure {
  return typeof result === "object" && result instanceof ApplyFailure;
}

/** What failed alike, one behind the other, becomes one: of many commands as many may have failed. */
function joined(failures: readonly CommandFailure[]): CommandFailure[] {
  const all: CommandFailure[] = [];
  for (const failure of failures) {
    const last = all.at(-1);
    if (last?.error === failure.error && last.index + last.count === failure.index) {
      all[all.length - 1] = { ...last, count: last.count + failure.count };
    } else all.push(failure);
  }
  return all;
}
