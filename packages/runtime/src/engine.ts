import { createHash } from "node:crypto";
import {
  ApplyFailure,
  type CommandSegment,
  type Result,
  type Results,
  type StateMachineHost,
} from "@synod/core";
import { applyBytes, type BatchMachine } from "./apply-bytes.js";
import { failure, isThenable, promiseFailure } from "./apply-failure.js";
import { isBytes } from "./byte-codec.js";
import { capture, capturedBytesAtMost } from "./capture.js";
import { monotonicMs } from "./clock.js";
import { commandCodec, valueCodec } from "./command-codec.js";
import { SynodError } from "./errors.js";
import { importAdvice, importModule } from "./import-module.js";
import { runtimeLimits } from "./limits.js";
import type { AnyStateMachine, AppliedAt, BytesStateMachine, StateMachine } from "./state-machine.js";

/** Where a learner finds the state machine, as plain data. */
export interface StateMachineSpec {
  readonly url: string;
  readonly export: string;
  readonly options: unknown;
}

/** Loads and makes the state machine. @throws SynodError `STATE_MACHINE_NOT_LOADED` */
export async function loadStateMachine(spec: StateMachineSpec): Promise<AnyStateMachine> {
  const where = `the state machine ${spec.export} of ${spec.url}`;
  const fail = (what: string, cause?: unknown) => {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    return new SynodError("STATE_MACHINE_NOT_LOADED", `${where} ${what}${reason}`, { cause });
  };
  let module: Record<string, unknown>;
  try {
    module = await importModule(spec.url);
  } catch (cause) {
    throw fail(`could not be imported${importAdvice(spec.url, cause)}`, cause);
  }
  const machineClass = module[spec.export];
  if (typeof machineClass !== "function") {
    throw fail(`is not a class${exportAdvice(module)}`);
  }
  let machine: AnyStateMachine;
  try {
    machine = new (machineClass as new (options: unknown) => AnyStateMachine)(spec.options);
  } catch (cause) {
    throw fail("threw in its constructor", cause);
  }
  for (const method of ["snapshot", "restore"] as const) {
    if (typeof machine[method] !== "function") throw fail(`has no method ${method}()`);
  }
  const { apply, applyBatch }: Partial<StateMachine & BytesStateMachine> = machine;
  if (typeof apply !== "function" && typeof applyBatch !== "function") {
    throw fail("has no method apply(), nor applyBatch() for commands as bytes");
  }
  return machine;
}

/** A class that is exported by its name only is the usual mistake. */
function exportAdvice(module: Record<string, unknown>): string {
  const names = Object.keys(module).filter(name => name !== "module.exports");
  const named = names.find(name => name !== "default" && typeof module[name] === "function");
  const advice =
    named === undefined ? "" : `, or give stateMachine: { url, export: ${JSON.stringify(named)} }`;
  return `; the module exports ${names.join(", ") || "nothing"}: export the class as default${advice}`;
}

/** As it is called: whatever it has not is answered with a failure. */
export type CalledMachine = Partial<Pick<StateMachine, "apply">> & BatchMachine & Omit<StateMachine, "apply">;

/** Runs a user's state machine for a replica: decodes commands, and turns whatever goes wrong into a result. */
export class StateMachineEngine implements StateMachineHost {
  readonly #machine: CalledMachine;
  readonly #nowMs: () => number;
  readonly #at = { instance: 0, timeMs: 0 };

  /** `nowMs` is the clock that leaders stamp commands by, in milliseconds: queries go by it while nothing is proposed. */
  constructor(machine: AnyStateMachine, nowMs: () => number = monotonicMs) {
    this.#machine = machine;
    this.#nowMs = nowMs;
  }

  readonly apply = (
    segment: CommandSegment,
    skip: number,
    firstInstance: number,
    timeMs: number,
  ): Results => {
    const first = segment.skip + skip;
    const count = segment.count - skip;
    if (isBytes(segment.bytes)) {
      return applyBytes(this.#machine, { encoded: segment.bytes, skip: first, count, firstInstance, timeMs });
    }
    const commands = commandCodec.decode(segment.bytes);
    const results = new Array<Result>(count);
    const at = this.#at;
    at.timeMs = timeMs;
    for (let index = 0; index < count; index++) {
      at.instance = firstInstance + index;
      results[index] = this.#applyOne(commands[first + index], at);
    }
    return results;
  };

  query(bytes: Uint8Array, instance: number, timeMs: number): Result {
    if (this.#machine.query === undefined) return new ApplyFailure("the state machine has no query() method");
    const at = this.#at;
    at.instance = instance;
    at.timeMs = Math.max(timeMs, this.#nowMs());
    try {
      return result(this.#machine.query(valueCodec.decode(bytes), at), "query()'s answer");
    } catch (cause) {
      return failure(cause);
    }
  }

  /** What the state machine gives out of its state, encoded piece by piece. @throws whatever it throws */
  *snapshotChunks(): Generator<Uint8Array> {
    for (const chunk of this.#snapshot()) yield valueCodec.encode(capture(chunk, "snapshot()'s chunk"));
  }

  /** SHA-256 over the snapshot's chunks: equal on learners that applied the same prefix of the log. */
  stateDigest(): string {
    const hash = createHash("sha256");
    for (const chunk of this.#snapshot()) hash.update(valueCodec.encode(chunk));
    return hash.digest("hex");
  }

  #snapshot(): Iterable<unknown> {
    const chunks: unknown = this.#machine.snapshot();
    // Nobody waits for it: a rejection would end the thread.
    if (chunks instanceof Promise) chunks.catch(() => undefined);
    if (typeof (chunks as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === "function") {
      return chunks as Iterable<unknown>;
    }
    throw new TypeError(
      "snapshot() must return something iterable, and no promise: it writes while nothing is applied",
    );
  }

  #applyOne(command: unknown, at: AppliedAt): Result {
    try {
      if (this.#machine.apply === undefined) throw new TypeError("the state machine has no method apply()");
      const value = this.#machine.apply(command, at);
      if (typeof value === "number") return value;
      return result(value, "apply()'s result");
    } catch (cause) {
      return failure(cause);
    }
  }
}

/** A result is kept for duplicates and sent elsewhere: it must survive that, and not change afterwards. */
function result(value: unknown, what: string): Result {
  if (isThenable(value)) return promiseFailure(value, what);
  const captured = capture(value, what);
  const { resultBytesMax } = runtimeLimits;
  // The bound that capturing gives is generous; only what exceeds it is measured by encoding it.
  if (capturedBytesAtMost() <= resultBytesMax) return captured;
  const bytes = valueCodec.encode(captured).byteLength;
  if (bytes <= resultBytesMax) return captured;
  return new ApplyFailure(`${what} takes ${bytes} bytes, more than ${resultBytesMax}: return less`);
}
