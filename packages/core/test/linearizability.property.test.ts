import {
  type CounterInput,
  checkLinearizability,
  counterModel,
  type Model,
  type Operation,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "@synod/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { explains, isLinearizableByForce } from "./linearizability/brute-force.js";

const value = fc.integer({ min: 0, max: 2 });

const registerInput: fc.Arbitrary<RegisterInput<number>> = fc.oneof(
  fc.record({ kind: fc.constant("get" as const) }),
  fc.record({ kind: fc.constant("set" as const), value }),
  fc.record({ kind: fc.constant("cas" as const), expected: value, value }),
);
const registerOutput = (input: RegisterInput<number>): fc.Arbitrary<RegisterOutput<number>> =>
  input.kind === "get" ? value : input.kind === "cas" ? fc.boolean() : fc.constant(undefined);

const counterInput: fc.Arbitrary<CounterInput> = fc.oneof(
  fc.record({ kind: fc.constant("read" as const) }),
  fc.record({ kind: fc.constant("increment" as const), by: fc.integer({ min: 1, max: 2 }) }),
);

/** Any operations at any times: times are few, so that many touch or are equal. */
function histories<Input, Output>(
  inputs: fc.Arbitrary<Input>,
  outputOf: (input: Input) => fc.Arbitrary<Output>,
): fc.Arbitrary<Operation<Input, Output>[]> {
  const time = fc.integer({ min: 0, max: 9 });
  const operation = fc
    .tuple(time, time, fc.integer({ min: 0, max: 3 }), inputs)
    .chain(([a, b, fate, input]) => {
      const invocation = { client: 0, invokedAt: Math.min(a, b), input };
      if (fate === 0) return fc.constant<Operation<Input, Output>>(invocation);
      return outputOf(input).map(output => ({ ...invocation, returnedAt: Math.max(a, b), output }));
    });
  return fc.array(operation, { maxLength: 6 });
}

/** The model without what saves searching. */
function bare<State, Input, Output>({ initial, step, key, describe }: Model<State, Input, Output>) {
  return { initial, step, key, describe };
}

function compare<State, Input, Output>(
  model: Model<State, Input, Output>,
  arbitrary: fc.Arbitrary<Operation<Input, Output>[]>,
) {
  const seen = { good: 0, bad: 0 };
  fc.assert(
    fc.property(arbitrary, history => {
      const expected = isLinearizableByForce(model, history);
      seen[expected ? "good" : "bad"] += 1;
      for (const same of [model, bare(model)]) {
        const result = checkLinearizability(same, history);
        expect(result.linearizable).toBe(expected);
        if (result.linearizable !== true) continue;
        expect(explains(model, result.order)).toBe(true);
        const left = history.filter(operation => !result.order.includes(operation));
        expect(left.every(({ returnedAt }) => returnedAt === undefined)).toBe(true);
      }
    }),
    { numRuns: 1500 },
  );
  expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(100);
}

test("a register's histories are judged as by brute force", () => {
  compare(registerModel<number>(0), histories(registerInput, registerOutput));
});

test("a counter's histories are judged as by brute force", () => {
  compare(
    counterModel(),
    histories(counterInput, () => fc.integer({ min: 0, max: 4 })),
  );
});
