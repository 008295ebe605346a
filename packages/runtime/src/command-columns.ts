/*
 * Commands that are plain objects with the same fields travel by columns: the names once, then the values of each
 * field one behind the other, or one value if it is the same in all commands. That takes half the time of objects one by
 * one, and fewer bytes.
 */

/** The commands of one piece by their fields: an array holds one value for each command, anything else is for all. */
export type Columns = readonly [count: number, keys: readonly string[], columns: readonly unknown[]];

/** Fewer commands gain nothing. */
const commandsMin = 8;
/** So many sorts of commands are remembered, each with the function that makes objects of it. */
const sortsMax = 256;

/** Undefined for commands that differ in their fields, or are not all objects. They were captured: see capture.ts. */
export function toColumns(commands: readonly unknown[]): Columns | undefined {
  const count = commands.length;
  const first = commands[0];
  if (count < commandsMin || !isPlain(first)) return undefined;
  const keys = Object.keys(first);
  if (keys.length === 0) return undefined;
  const columns = keys.map(() => new Array<unknown>(count));
  for (let index = 0; index < count; index++) {
    const command = commands[index];
    if (!isPlain(command)) return undefined;
    let field = 0;
    for (const key in command) {
      if (key !== keys[field]) return undefined;
      columns[field++]![index] = command[key];
    }
    if (field !== keys.length) return undefined;
  }
  return [count, keys, columns.map(column => (isOfOne(column) ? column[0] : column))];
}

function isPlain(command: unknown): command is Record<string, unknown> {
  return typeof command === "object" && command !== null && command.constructor === Object;
}

/** Objects are told apart by who holds them, and an array would be taken for a column. */
function isOfOne(column: readonly unknown[]): boolean {
  const [first] = column;
  if (typeof first === "object" && first !== null) return false;
  for (let index = 1; index < column.length; index++) if (column[index] !== first) return false;
  return true;
}

type Make = (count: number, columns: readonly (readonly unknown[])[]) => unknown[];

const makers = new Map<string, Make>();
let mayCompile = true;

/** The commands, each an object of its own. */
export function fromColumns([count, keys, columns]: Columns): unknown[] {
  const filled = columns.map(column =>
    Array.isArray(column) ? column : new Array<unknown>(count).fill(column),
  );
  return makerOf(keys)(count, filled);
}

function makerOf(keys: readonly string[]): Make {
  const sort = JSON.stringify(keys);
  const known = makers.get(sort);
  if (known !== undefined) return known;
  if (makers.size >= sortsMax) makers.clear();
  const make = compiled(keys) ?? fieldByField(keys);
  makers.set(sort, make);
  return make;
}

/** An object literal makes objects several times as fast as setting one field after the other. */
function compiled(keys: readonly string[]): Make | undefined {
  if (!mayCompile) return undefined;
  const fields = keys.map((key, field) => `${JSON.stringify(key)}: columns[${field}][index]`);
  const body =
    "const commands = new Array(count);" +
    `for (let index = 0; index < count; index++) commands[index] = { ${fields.join(", ")} };` +
    "return commands;";
  try {
    return new Function("count", "columns", body) as Make;
  } catch (error) {
    // Node was started with --disallow-code-generation-from-strings.
    if (!(error instanceof EvalError)) throw error;
    mayCompile = false;
    return undefined;
  }
}

function fieldByField(keys: readonly string[]): Make {
  return (count, columns) => {
    const commands: unknown[] = [];
    for (let index = 0; index < count; index++) {
      const command: Record<string, unknown> = {};
      keys.forEach((key, field) => {
        command[key] = columns[field]![index];
      });
      commands.push(command);
    }
    return commands;
  };
}
