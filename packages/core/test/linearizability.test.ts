import {
  checkLinearizability,
  counterModel,
  type Operation,
  partitionByKey,
  type Random,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "@synod/core/testing";
import { describe, expect, it } from "vitest";
import { linearizableHistory } from "./linearizability/generated.js";

type RegisterOperation = Operation<RegisterInput<number>, RegisterOutput<number>>;

const register = registerModel<number>(0);
const counter = counterModel();

/** `returnedAt` undefined: never returned. */
const operation = <Input, Output>(
  client: number,
  [invokedAt, returnedAt]: readonly [number, number?],
  input: Input,
  output?: Output,
) =>
  (returnedAt === undefined
    ? { client, invokedAt, input }
    : { client, invokedAt, returnedAt, input, output }) as Operation<Input, Output>;

const get = (client: number, time: readonly [number, number?], output?: number): RegisterOperation =>
  operation(client, time, { kind: "get" }, output);
const set = (client: number, time: readonly [number, number?], value: number): RegisterOperation =>
  operation(client, time, { kind: "set", value }, undefined);
const cas = (
  client: number,
  time: readonly [number, number?],
  [expected, value]: readonly [number, number],
  output?: boolean,
): RegisterOperation => operation(client, time, { kind: "cas", expected, value }, output);
const increment = (client: number, time: readonly [number, number?], output?: number) =>
  operation<{ kind: "increment"; by: number }, number>(client, time, { kind: "increment", by: 1 }, output);
const read = (client: number, time: readonly [number, number?], output?: number) =>
  operation<{ kind: "read" }, number>(client, time, { kind: "read" }, output);

describe("histories of a register", () => {
  const good: Record<string, RegisterOperation[]> = {
    "nothing at all": [],
    "one after the other": [set(1, [0, 1], 5), get(2, [2, 3], 5), set(1, [4, 5], 6), get(2, [6, 7], 6)],
    "a read during a write sees the value before": [set(1, [0, 9], 5), get(2, [1, 2], 0)],
    "a read during a write sees the value after": [set(1, [0, 9], 5), get(2, [1, 2], 5)],
    "reads during a write see first the one, then the other": [
      set(1, [0, 9], 5),
      get(2, [1, 2], 0),
      get(3, [3, 4], 5),
    ],
    "concurrent writes in the order that shows": [
      set(1, [0, 9], 5),
      set(2, [0, 9], 6),
      get(3, [1, 2], 6),
      get(3, [3, 4], 5),
    ],
    "operations that touch are concurrent": [set(1, [0, 5], 5), get(2, [5, 6], 0)],
    "an operation that takes no time": [set(1, [3, 3], 5), get(2, [3, 3], 0), get(2, [4, 4], 5)],
    "a pending write that is never seen": [set(1, [0], 5), get(2, [1, 2], 0), get(2, [90, 91], 0)],
    "a pending write that is seen late": [set(1, [0], 5), get(2, [1, 2], 0), get(2, [90, 91], 5)],
    "a pending write between two others": [set(1, [0], 5), set(2, [1, 2], 6), get(3, [3, 4], 5)],
    "a pending read": [get(1, [0]), set(2, [1, 2], 6)],
    "a pending cas that must have taken place": [cas(1, [0], [0, 5]), cas(2, [1, 2], [5, 6], true)],
    "one of two cas wins": [cas(1, [0, 9], [0, 5], true), cas(2, [0, 9], [0, 6], false), get(1, [10, 11], 5)],
    "the first of two cas makes the second possible": [
      cas(1, [0, 9], [5, 6], true),
      cas(2, [0, 9], [0, 5], true),
      get(1, [10, 11], 6),
    ],
    "the same operation object twice": Array.from({ length: 2 }, () => get(1, [0, 1], 0)),
  };
  it.each(Object.entries(good))("good: %s", (_, history) => {
    const result = checkLinearizability(register, history);
    expect(result).toMatchObject({ linearizable: true });
    // The order of the list is no hint.
    expect(checkLinearizability(register, history.toReversed()).linearizable).toBe(true);
  });

  const bad: Record<string, RegisterOperation[]> = {
    "a value that nobody wrote": [set(1, [0, 1], 5), get(2, [2, 3], 7)],
    "a stale read": [set(1, [0, 1], 5), set(1, [2, 3], 6), get(2, [4, 5], 5)],
    "a read of the future": [get(2, [0, 1], 5), set(1, [2, 3], 5)],
    "reads that go backwards during a write": [set(1, [0, 9], 5), get(2, [1, 2], 5), get(3, [3, 4], 0)],
    "readers that disagree on the order of two writes": [
      set(1, [0, 9], 5),
      set(2, [0, 9], 6),
      get(3, [10, 11], 5),
      get(4, [12, 13], 6),
    ],
    "a lost update": [
      get(1, [0, 1], 0),
      get(2, [0, 1], 0),
      cas(1, [2, 5], [0, 1], true),
      cas(2, [2, 5], [0, 2], true),
    ],
    "a cas that fails though the value is expected": [set(1, [0, 1], 5), cas(2, [2, 3], [5, 6], false)],
    "two cas that both lose": [cas(1, [0, 9], [0, 5], false), cas(2, [0, 9], [0, 6], false)],
    "a pending write that is seen, and then not": [
      set(1, [0], 5),
      get(2, [1, 2], 0),
      get(2, [3, 4], 5),
      get(2, [5, 6], 0),
    ],
    "a pending write that is seen twice": [
      set(1, [0], 5),
      get(2, [1, 2], 5),
      set(3, [3, 4], 6),
      get(2, [5, 6], 5),
    ],
    "a write that is seen before it is called, though it never returned": [get(2, [0, 1], 5), set(1, [2], 5)],
  };
  it.each(Object.entries(bad))("bad: %s", (_, history) => {
    expect(checkLinearizability(register, history).linearizable).toBe(false);
    expect(checkLinearizability(register, history.toReversed()).linearizable).toBe(false);
  });
});

describe("histories of a counter", () => {
  it("good: every increment is counted once", () => {
    const history = [increment(1, [0, 5], 2), increment(2, [0, 5], 1), read(1, [6, 7], 2)];
    expect(checkLinearizability(counter, history).linearizable).toBe(true);
  });

  it("good: a pending increment is counted, or not", () => {
    for (const seen of [1, 2]) {
      const history = [increment(1, [0]), increment(2, [1, 2], 1), read(2, [3, 4], seen)];
      expect(checkLinearizability(counter, history).linearizable).toBe(true);
    }
  });

  it("bad: an increment that is applied twice", () => {
    const history = [increment(1, [0, 1], 1), increment(2, [2, 3], 3), read(1, [4, 5], 3)];
    expect(checkLinearizability(counter, history).linearizable).toBe(false);
    const pendingTwice = [increment(1, [0]), read(2, [1, 2], 1), read(2, [3, 4], 2)];
    expect(checkLinearizability(counter, pendingTwice).linearizable).toBe(false);
  });

  it("bad: an increment that is lost", () => {
    const history = [increment(1, [0, 5], 1), increment(2, [0, 5], 1)];
    expect(checkLinearizability(counter, history).linearizable).toBe(false);
  });

  it("many pending increments are told apart only by their number", () => {
    const unknown = Array.from({ length: 40 }, (_, client) => increment(client, [0]));
    const seen = (value: number) => [...unknown, read(99, [1, 2], value), read(99, [3, 4], 0)];
    expect(checkLinearizability(counter, [...unknown, read(99, [1, 2], 40)]).linearizable).toBe(true);
    for (const value of [20, 41]) {
      const result = checkLinearizability(counter, seen(value));
      expect(result.linearizable).toBe(false);
      expect(result.steps).toBeLessThan(2000);
    }
  });
});

describe("results", () => {
  it("an order puts every operation at one moment between its call and its return", () => {
    const history = [set(1, [0, 9], 5), get(2, [1, 2], 0), get(3, [3, 4], 5), set(4, [0], 7)];
    const [write, before, after] = history;
    expect(checkLinearizability(register, history)).toMatchObject({ order: [before, write, after] });
  });

  it("a counter-example says what had to come next and cannot", () => {
    const history = [set(1, [0, 1], 5), set(1, [2, 3], 6), get(2, [4, 5], 5), set(3, [2], 9)];
    const result = checkLinearizability(register, history);
    if (result.linearizable !== false) expect.fail("a stale read is found");
    expect(result.prefix).toEqual(history.slice(0, 2));
    expect(result.blocked).toEqual([history[2]]);
    expect(result.explanation.join("\n")).toMatchInlineSnapshot(`
      "the longest order found has 2 operations:
        client 1: set 5; called at 0, returned at 1
        client 1: set 6; called at 2, returned at 3
      then the state is 6, and one of these must come next, but none can:
        client 2: get -> 5; called at 4, returned at 5
      nor does it help if these, which never returned, took effect:
        client 3: set 9; called at 2, never returned"
    `);
  });

  it("a long counter-example is shown in a few lines", () => {
    const history = Array.from({ length: 100 }, (_, at) => set(1, [2 * at, 2 * at + 1], at));
    for (let client = 2; client < 40; client++) history.push(get(client, [300, 301], 7));
    const result = checkLinearizability(register, history);
    if (result.linearizable !== false) expect.fail("a stale read is found");
    expect(result.prefix).toHaveLength(100);
    expect(result.blocked).toHaveLength(38);
    expect(result.explanation.length).toBeLessThan(25);
  });

  it("is undecided when the steps run out", () => {
    const history = [set(1, [0, 1], 5), get(2, [2, 3], 5), get(2, [4, 5], 5)];
    const result = checkLinearizability(register, history, { stepsMax: 2 });
    if (result.linearizable !== undefined) expect.fail("three steps are needed");
    expect(result.explanation[0]).toBe("undecided after 2 steps");
    expect(checkLinearizability(register, history, { stepsMax: 3 }).linearizable).toBe(true);
  });

  it("refuses an operation that returns before it is called", () => {
    expect(() => checkLinearizability(register, [get(1, [2, 1], 0)])).toThrow("returns after it was invoked");
    expect(() => checkLinearizability(register, [get(1, [Number.NaN, 1], 0)])).toThrow("returns after");
  });

  it("keys are checked one by one", () => {
    const keyed = (key: string, { input, ...rest }: RegisterOperation) =>
      ({ ...rest, input: { ...input, key } }) as Operation<RegisterInput<number> & { key: string }, number>;
    const history = [keyed("a", set(1, [0, 1], 5)), keyed("b", get(2, [2, 3], 5))];
    const parts = partitionByKey(history, ({ key }) => key);
    expect(checkLinearizability(register, history).linearizable).toBe(true);
    expect([...parts].map(([key, part]) => [key, checkLinearizability(register, part).linearizable])).toEqual(
      [
        ["a", true],
        ["b", false],
      ],
    );
  });
});

describe("long histories", () => {
  const draw = (random: Random, value: number): RegisterInput<number> => {
    if (random.chance(0.5)) return { kind: "get" };
    if (random.chance(0.5)) return { kind: "set", value };
    return { kind: "cas", expected: random.between(value - 8, value), value };
  };
  const load = { seed: 1, clients: 8, operations: 20_000, unreturned: 0.001, draw };
  const history = linearizableHistory(
    register,
    (state, input) => {
      if (input.kind === "get") return state.value;
      return input.kind === "cas" ? state.value === input.expected : undefined;
    },
    load,
  );

  it("20,000 operations of 8 clients are decided quickly", () => {
    const result = checkLinearizability(register, history);
    expect(result.linearizable).toBe(true);
    expect(result.steps).toBeLessThan(1_000_000);
  });

  it("one stale read among them is found, and shown", () => {
    const at = history.findIndex(
      ({ input, output }, index) => index > 15_000 && input.kind === "get" && output !== undefined,
    );
    const stale = { ...history[at], output: 3 } as RegisterOperation;
    const result = checkLinearizability(register, history.with(at, stale));
    if (result.linearizable !== false) expect.fail("a stale read is found");
    expect(result.blocked).toContain(stale);
  });

  it("so are 20,000 increments, some of which nobody knows the fate of", () => {
    const counts = linearizableHistory(counter, state => state + 1, {
      ...load,
      unreturned: 0.01,
      draw: () => ({ kind: "increment" as const, by: 1 }),
    });
    expect(checkLinearizability(counter, counts).linearizable).toBe(true);
  });
});
