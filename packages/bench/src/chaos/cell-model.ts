import {
  type Model,
  pending,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "@synod/core/testing";

export type CellInput = RegisterInput<number> | { readonly kind: "increment" };
export type CellOutput = RegisterOutput<number>;

interface CellState {
  readonly value: number;
}

const register = registerModel<number>(0);

/** What a cell of the chaos machine promises: a register that begins with 0, and can be incremented. */
export const cellModel: Model<CellState, CellInput, CellOutput> = {
  initial: register.initial,
  step(state, input, output) {
    if (input.kind !== "increment") return register.step(state, input, output);
    const value = state.value + 1;
    return output === pending || output === value ? { value } : undefined;
  },
  key: state => register.key(state),
  describe(input, output) {
    if (input.kind !== "increment") return register.describe(input, output);
    return `increment${output === pending ? "" : ` -> ${String(output)}`}`;
  },
  isRead: (input, output) => input.kind !== "increment" && register.isRead?.(input, output) === true,
  isOverwrite: (input, output) =>
    input.kind !== "increment" && register.isOverwrite?.(input, output) === true,
  inputKey: input => (input.kind === "increment" ? "increment" : (register.inputKey?.(input) ?? "")),
};
