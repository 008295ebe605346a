import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { ApplyFailure } from "@synod/core";
import { applyBytes, type BatchMachine } from "../apply-bytes.js";
import { failure } from "../apply-failure.js";
import { encodeBytes, isBytes } from "../byte-codec.js";
import { capture } from "../capture.js";
import { valueCodec } from "../command-codec.js";
import type { SynodError } from "../errors.js";
import type { AnyStateMachine, QueriedAt, StateMachine } from "../state-machine.js";
import { type CheckName, Finding } from "./check-error.js";
import { inShiftedWorld } from "./shifted-world.js";
import { commandOf, type Step } from "./steps.js";

/** What a call came to, in the bytes that would travel. A text means that it threw. */
export type Outcome = Uint8Array | string;

/** A snapshot in the bytes that would be stored, and the machine's own chunks. */
export interface Taken {
  readonly encoded: readonly Uint8Array[];
  readonly chunks: readonly unknown[];
}

/** A machine under test. It is given and asked what a learner would give and ask it, encoded and decoded alike. */
export class Subject {
  readonly #machine: Partial<Pick<StateMachine, "apply">> & BatchMachine & Omit<StateMachine, "apply">;
  /** Used again for each command, as a learner does. */
  readonly #at = { instance: 0, timeMs: 0 };

  /** `isShifted`: on another day, with other luck. */
  constructor(
    create: () => AnyStateMachine,
    public isShifted = false,
  ) {
    this.#machine = this.#call("create()", create);
  }

  apply(step: Step): Outcome {
    if (isBytes(step.commandBytes)) return this.applyBatch([step])[0]!;
    const command = commandOf(step);
    this.#at.instance = step.instance;
    this.#at.timeMs = step.timeMs;
    const where = { instance: step.instance };
    const outcome = this.#answer("apply", where, () => this.#machine.apply?.(command, this.#at));
    const expected = commandOf(step);
    if (!isSameValue(command, expected)) {
      throw new Finding(
        "apply leaves its command alone",
        `apply() changed the command that it was given at instance ${step.instance}: copy what is to be changed`,
        { ...where, expected, found: command },
      );
    }
    return outcome;
  }

  /** Steps that follow each other, as one batch. */
  applyBatch(steps: readonly Step[]): Outcome[] {
    const { instance, timeMs } = steps[0]!;
    const encoded = joined(steps);
    const before = encoded.slice();
    const spec = { encoded, skip: 0, count: steps.length, firstInstance: instance, timeMs };
    const results = this.#run(() => applyBytes(this.#machine, spec));
    if (Buffer.compare(before, encoded) !== 0) {
      throw new Finding(
        "apply leaves its command alone",
        `applyBatch() changed bytes that it was given at instance ${instance} or later: copy what is to be changed`,
        { instance },
      );
    }
    return steps.map((_, index) => {
      const result = results[index];
      return result instanceof ApplyFailure ? result.reason : valueCodec.encode(result);
    });
  }

  /** Each call is given an `at` of its own, which is taken back afterwards, as by a learner that uses it again. */
  query(queryBytes: Uint8Array, { instance, timeMs }: QueriedAt, isShifted = false): Outcome {
    if (this.#machine.query === undefined) return failure("the state machine has no query() method").reason;
    const query = valueCodec.decode(queryBytes);
    const at = { instance, timeMs };
    try {
      return this.#answer("query", {}, () => this.#machine.query?.(query, at), isShifted);
    } finally {
      at.instance = at.timeMs = Number.NaN;
    }
  }

  snapshot(isShifted = false): Taken {
    const chunks: unknown[] = [];
    const encoded: Uint8Array[] = [];
    const take = () => {
      for (const chunk of this.#machine.snapshot()) {
        const what = `snapshot()[${chunks.length}]`;
        const captured = survives("snapshots survive the encoding", {}, () => capture(chunk, what));
        encoded.push(valueCodec.encode(captured));
        chunks.push(chunk);
      }
    };
    this.#call("snapshot()", take, isShifted);
    return { encoded, chunks };
  }

  async restore({ encoded }: Taken): Promise<void> {
    try {
      await this.#run(() => this.#machine.restore(decoded(encoded)));
    } catch (cause) {
      throw new Finding("methods do not throw", `restore() failed: ${failure(cause).reason}`, { cause });
    }
  }

  #answer(
    method: "apply" | "query",
    where: { instance?: number },
    run: () => unknown,
    isShifted = false,
  ): Outcome {
    let value: unknown;
    try {
      value = this.#run(run, isShifted);
    } catch (cause) {
      return failure(cause).reason;
    }
    if (typeof (value as { then?: unknown } | null | undefined)?.then === "function") {
      if (value instanceof Promise) value.catch(() => undefined); // Nobody waits for it.
      const text = `${method}() returned a promise: replicas go on at once, and would differ until it settles`;
      throw new Finding(`${method} finishes before it returns`, text, where);
    }
    const check = method === "apply" ? "results survive the encoding" : "answers survive the encoding";
    const what = method === "apply" ? "result" : "answer";
    return valueCodec.encode(survives(check, where, () => capture(value, what)));
  }

  #call<T>(what: string, run: () => T, isShifted = false): T {
    try {
      return this.#run(run, isShifted);
    } catch (cause) {
      if (cause instanceof Finding) throw cause;
      throw new Finding("methods do not throw", `${what} threw ${failure(cause).reason}`, { cause });
    }
  }

  #run<T>(run: () => T, isShifted = false): T {
    return this.isShifted || isShifted ? inShiftedWorld(run) : run();
  }
}

/** What an outcome shows in an error. */
export function showOutcome(outcome: Outcome): unknown {
  return typeof outcome === "string" ? `thrown ${outcome}` : valueCodec.decode(outcome);
}

export function showSnapshot({ encoded }: Taken): unknown[] {
  return encoded.map(bytes => valueCodec.decode(bytes));
}

export function isSameOutcome(left: Outcome, right: Outcome): boolean {
  if (typeof left === "string" || typeof right === "string") return left === right;
  return Buffer.compare(left, right) === 0;
}

/** Learners compare digests over exactly these bytes, so the order of fields and entries counts. */
export function isSameSnapshot(left: Taken, right: Taken): boolean {
  return (
    left.encoded.length === right.encoded.length &&
    left.encoded.every((bytes, index) => Buffer.compare(bytes, right.encoded[index]!) === 0)
  );
}

/** Whether a value is still what it was: one that cannot even be encoded is not. */
export function isSameValue(value: unknown, expected: unknown): boolean {
  try {
    const bytes = valueCodec.encode(capture(value, "value"));
    return Buffer.compare(bytes, valueCodec.encode(capture(expected, "value"))) === 0;
  } catch {
    return false;
  }
}

/** The steps' commands in one piece. */
function joined(steps: readonly Step[]): Uint8Array {
  const records = steps.map(step => commandOf(step) as Uint8Array);
  let end = 0;
  const offsets = records.map(record => {
    const start = end;
    end += record.byteLength;
    return start;
  });
  return encodeBytes(Buffer.concat(records), { offsets }, 0, records.length);
}

async function* decoded(encoded: readonly Uint8Array[]): AsyncGenerator<unknown> {
  for (const bytes of encoded) {
    await eventLoopTurn(); // Chunks come from elsewhere, one by one.
    yield valueCodec.decode(bytes);
  }
}

function survives<T>(check: CheckName, where: { instance?: number }, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const { message, path } = cause as SynodError;
    throw new Finding(check, message, { ...where, cause, ...(path === undefined ? {} : { path }) });
  }
}
