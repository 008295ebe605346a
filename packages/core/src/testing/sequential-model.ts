/** Stands for the output of an operation that never returned. */
export const pending: unique symbol = Symbol("pending");
export type Pending = typeof pending;

/** What an object does when it is used by one client at a time. States are immutable, and never `undefined`. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /** The state afterwards; `undefined` when the operation cannot have this output here. */
  step(state: State, input: Input, output: Output | Pending): State | undefined;
  /** The same for two states exactly when nothing can tell them apart. */
  key(state: State): string;
  /** An operation in a few words, for people. */
  describe(input: Input, output: Output | Pending): string;
  /**
   * Whether an operation leaves every state alone in which it can have this output. Saves much searching, as do the
   * next two.
   */
  isRead?(input: Input, output: Output | Pending): boolean;
  /** Whether an operation can have this output in every state, and leads from each to the same one. */
  isOverwrite?(input: Input, output: Output | Pending): boolean;
  /**
   * The same only for inputs that do the same. Of those that never returned, the checker then tries the oldest
   * alone, and not every choice among them.
   */
  inputKey?(input: Input): string;
}

type Primitive = string | number | boolean | null | undefined;

export type RegisterInput<Value extends Primitive> =
  | { readonly kind: "get" }
  | { readonly kind: "set"; readonly value: Value }
  | { readonly kind: "cas"; readonly expected: Value; readonly value: Value };

export type RegisterOutput<Value extends Primitive> = Value | boolean | undefined;

interface RegisterState<Value> {
  readonly value: Value;
}

/** One value: `get` returns it, `cas` whether it replaced it; what `set` returns is not looked at. */
export function registerModel<Value extends Primitive>(
  initial: Value,
): Model<RegisterState<Value>, RegisterInput<Value>, RegisterOutput<Value>> {
  return {
    initial: { value: initial },
    step(state, input, output) {
      switch (input.kind) {
        case "get":
          return output === pending || output === state.value ? state : undefined;
        case "set":
          return { value: input.value };
        case "cas": {
          const replaces = state.value === input.expected;
          if (output !== pending && output !== replaces) return undefined;
          return replaces ? { value: input.value } : state;
        }
      }
    },
    key: ({ value }) => keyOf(value),
    describe(input, output) {
      switch (input.kind) {
        case "get":
          return `get${describeOutput(output)}`;
        case "set":
          return `set ${keyOf(input.value)}`;
        case "cas":
          return `cas ${keyOf(input.expected)} to ${keyOf(input.value)}${describeOutput(output)}`;
      }
    },
    isRead: ({ kind }, output) => kind === "get" || (kind === "cas" && output === false),
    isOverwrite: ({ kind }) => kind === "set",
    inputKey(input) {
      switch (input.kind) {
        case "get":
          return "get";
        case "set":
          return `set ${keyOf(input.value)}`;
        case "cas":
          return `cas ${keyOf(input.expected)} to ${keyOf(input.value)}`;
      }
    },
  };
}

export type CounterInput = { readonly kind: "read" } | { readonly kind: "increment"; readonly by: number };

/** A number: `read` returns it, `increment` what it is afterwards. */
export function counterModel(initial = 0): Model<number, CounterInput, number> {
  return {
    initial,
    step(state, input, output) {
      const next = input.kind === "read" ? state : state + input.by;
      return output === pending || output === next ? next : undefined;
    },
    key: String,
    describe: (input, output) =>
      `${input.kind === "read" ? "read" : `increment by ${input.by}`}${describeOutput(output)}`,
    isRead: ({ kind }) => kind === "read",
    inputKey: input => (input.kind === "read" ? "read" : `increment by ${input.by}`),
  };
}

function keyOf(value: Primitive): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function describeOutput(output: Primitive | Pending): string {
  return output === pending ? "" : ` -> ${keyOf(output)}`;
}
