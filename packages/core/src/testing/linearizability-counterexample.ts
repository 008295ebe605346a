import type { CallReturnList, Entry } from "./call-return-list.js";
import type { Model } from "./sequential-model.js";

/** Operations shown of each kind: the reason is nearly always among the last. */
const linesMax = 8;

/** What had to come after some operations: what is left and was called before the first return that is left. */
export function dueAfter<Input, Output>(
  prefix: readonly Entry<Input, Output>[],
  { returned, unreturned }: CallReturnList<Input, Output>,
): { readonly blocked: Entry<Input, Output>[]; readonly unreturned: Entry<Input, Output>[] } {
  const taken = new Set(prefix);
  const left = returned.filter(entry => !taken.has(entry));
  const firstReturn = left.reduce((first, entry) => Math.min(first, entry.returnedAt), Infinity);
  return {
    blocked: left.filter(({ calledAt }) => calledAt < firstReturn),
    unreturned: unreturned.filter(entry => entry.calledAt < firstReturn && !taken.has(entry)),
  };
}

/** A dead end for people: what led there, and what had to come next and cannot. */
export function describeDeadEnd<State, Input, Output>(
  model: Model<State, Input, Output>,
  state: State,
  prefix: readonly Entry<Input, Output>[],
  due: ReturnType<typeof dueAfter<Input, Output>>,
): string[] {
  const lines = (entries: readonly Entry<Input, Output>[]) => entries.map(entry => `  ${line(model, entry)}`);
  const more = (entries: readonly unknown[]) =>
    entries.length > linesMax ? [`  (and ${entries.length - linesMax} more)`] : [];
  return [
    `the longest order found has ${prefix.length} operations${prefix.length > linesMax ? `; its last ${linesMax}` : ""}:`,
    ...lines(prefix.slice(-linesMax)),
    `then the state is ${model.key(state)}, and one of these must come next, but none can:`,
    ...lines(due.blocked.slice(0, linesMax)),
    ...more(due.blocked),
    ...(due.unreturned.length > 0 ? ["nor does it help if these, which never returned, took effect:"] : []),
    ...lines(due.unreturned.slice(0, linesMax)),
    ...more(due.unreturned),
  ];
}

function line<State, Input, Output>(
  model: Model<State, Input, Output>,
  { operation, output }: Entry<Input, Output>,
): string {
  const { client, input, invokedAt, returnedAt } = operation;
  const end = returnedAt === undefined ? "never returned" : `returned at ${returnedAt}`;
  return `client ${client}: ${model.describe(input, output)}; called at ${invokedAt}, ${end}`;
}
