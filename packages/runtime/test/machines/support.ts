import { isDeepStrictEqual } from "node:util";
import type { AppliedAt, CommandOf, ResultOf, StateMachine } from "@synod/runtime";

// biome-ignore lint/suspicious/noExplicitAny: a machine of any types
type AnyMachine = StateMachine<any, any, any, any, any>;

import fc from "fast-check";
import { expect } from "vitest";

/** A failure prints its seed; SYNOD_SEED replays it. */
export const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 2 ** 31);

/** Applies commands to a machine as a log does; time goes on only when the test says so. */
export class Log<M extends AnyMachine> {
  /** Far from 0, and no whole number of milliseconds. */
  timeMs = 2 ** 33 + 0.25;
  instance = 7;

  constructor(readonly machine: M) {}

  apply(command: CommandOf<M>): ResultOf<M> {
    this.instance += 2;
    return this.machine.apply(command, { instance: this.instance, timeMs: this.timeMs });
  }

  /** The message of what a command throws. */
  failure(command: unknown): string {
    try {
      this.apply(command as CommandOf<M>);
    } catch (error) {
      return String(error);
    }
    return expect.fail("nothing was thrown");
  }
}

export async function restored<M extends AnyMachine>(from: M, into: M): Promise<M> {
  const chunks = structuredClone([...from.snapshot()]);
  await into.restore(
    (async function* () {
      yield* chunks;
    })(),
  );
  return into;
}

/** What a test of a machine against a model is made of. */
interface ModelTest<M extends AnyMachine, Model> {
  readonly create: () => M;
  /** The same state machine, written without any thought of what it costs. */
  readonly createModel: () => Model & { apply(command: CommandOf<M>, at: AppliedAt): ResultOf<M> };
  readonly command: fc.Arbitrary<CommandOf<M>>;
  /** What each of them says when it is read at a time, in milliseconds. */
  readonly read: (machine: M, timeMs: number) => unknown;
  readonly readModel: (model: Model, timeMs: number) => unknown;
  /** Time between two commands, in milliseconds. */
  readonly gapMsMax: number;
}

/** Random logs, on which the machine is now and then lost and restored. */
export function agreesWithModel<M extends AnyMachine, Model>(test: ModelTest<M, Model>): Promise<void> {
  const step = fc.record({
    command: test.command,
    gapMs: fc.oneof(
      fc.constant(0),
      fc.nat(test.gapMsMax),
      fc.nat(4 * test.gapMsMax).map(ms => ms / 8),
    ),
    idleMs: fc.nat(test.gapMsMax),
    isRestored: fc.boolean(),
  });
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async steps => {
    let machine = test.create();
    const model = test.createModel();
    const at = { instance: 3, timeMs: 2 ** 31 };
    for (const { command, gapMs, idleMs, isRestored } of steps) {
      at.instance += 1;
      at.timeMs += gapMs;
      expectSame(machine.apply(command, at), model.apply(command, at));
      if (isRestored) machine = await restored(machine, test.create());
      for (const timeMs of [at.timeMs, at.timeMs + idleMs])
        expectSame(test.read(machine, timeMs), test.readModel(model, timeMs));
    }
  });
  return fc.assert(property, { numRuns: 50, seed });
}

/** Thousands of times in a run: only a difference is worth the runner's own comparison. */
function expectSame(found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) expect(found).toStrictEqual(expected);
}
