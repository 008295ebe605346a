import { SynodError } from "./errors.js";

/** An upper bound for the encoded size of what was captured last, in bytes. */
let bytesAtMost = 0;

/** The widest encoding of a number, a length, or a key's definition, in bytes. */
const scalarBytes = 10;
const largestInt64 = 2n ** 63n - 1n;
const smallestInt64 = -(2n ** 63n);
/** Deeper than this a value is searched for a cycle, and refused in any case. */
const depthMax = 200;
const tooDeep = Symbol("too deep");

export interface Captured {
  readonly value: unknown;
  /** An upper bound for the encoded size, in bytes. */
  readonly bytesAtMost: number;
}

/**
 * Copies a command (or query, or result), so that what the caller changes afterwards does not change what is
 * committed, and refuses what the encoding would lose: functions, symbols, instances of classes, promises,
 * circular references. Allowed are null, undefined, booleans, numbers, 64-bit bigints, strings, Date, byte arrays,
 * arrays and plain objects of these. Three things pass that come back otherwise: fields named by symbols are left
 * out, as structuredClone does, -0 becomes 0, and half of a surrogate pair becomes U+FFFD, as in any UTF-8.
 *
 * @param what names the value in errors: `command`
 * @throws SynodError `NOT_SERIALIZABLE` with the path of the field
 */
export function capture(value: unknown, what: string): unknown {
  bytesAtMost = 0;
  try {
    return copy(value, what, undefined, 0);
  } catch (cause) {
    if (cause instanceof SynodError) throw cause;
    if (cause === tooDeep) throw refuseDepth(value, what);
    // A getter or a proxy of the caller's threw.
    throw new SynodError("NOT_SERIALIZABLE", `${what} could not be read`, {
      path: what,
      outcome: "not-applied",
      cause,
    });
  }
}

/** Commands that were captured together. */
export interface CapturedAll {
  readonly values: unknown[];
  /** Upper bounds for the encoded sizes of the first one, the first two and so on, in bytes. */
  readonly bytesUpTo: Float64Array;
}

/** {@link capture} of many commands; of none if one of them is refused, which the path names: `commands[3].onDone`. */
export function captureAll(commands: readonly unknown[]): CapturedAll {
  const count = commands.length;
  const values = new Array<unknown>(count);
  const bytesUpTo = new Float64Array(count);
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    try {
      values[index] = capture(commands[index], "command");
    } catch (cause) {
      // Once more for the name, which for all of them would be garbage.
      capture(commands[index], `commands[${index}]`);
      throw cause;
    }
    bytes += bytesAtMost;
    bytesUpTo[index] = bytes;
  }
  return { values, bytesUpTo };
}

/** {@link capture}, and how large the encoding may become. */
export function captureCommand(command: unknown): Captured {
  const value = capture(command, "command");
  return { value, bytesAtMost };
}

/** Upper bound for the encoded size of the last captured value, in bytes; for hot paths that want no object. */
export function capturedBytesAtMost(): number {
  return bytesAtMost;
}

/** A path is only put together when there is something to say: until then it is a chain of keys. */
interface Trail {
  readonly parent: Trail | undefined;
  readonly key: string | number;
}

function copy(value: unknown, what: string, trail: Trail | undefined, depth: number): unknown {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      bytesAtMost += scalarBytes;
      return value;
    case "string":
      bytesAtMost += scalarBytes + value.length * 3;
      return value;
    case "bigint":
      bytesAtMost += scalarBytes;
      if (value > largestInt64 || value < smallestInt64)
        throw refusal("a bigint of more than 64 bits", what, trail);
      return value;
    case "object":
      return value === null ? null : copyObject(value, what, trail, depth);
    default:
      throw refusal(`a ${typeof value}`, what, trail);
  }
}

function copyObject(value: object, what: string, trail: Trail | undefined, depth: number): unknown {
  if (depth > depthMax) throw tooDeep;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyPlain(value, what, trail, depth);
  if (Array.isArray(value) && prototype === Array.prototype) {
    bytesAtMost += scalarBytes;
    const copied = new Array<unknown>(value.length);
    for (let index = 0; index < value.length; index++) {
      copied[index] = copy(value[index], what, { parent: trail, key: index }, depth + 1);
    }
    return copied;
  }
  if (value instanceof Uint8Array) {
    bytesAtMost += scalarBytes + value.byteLength;
    // Not slice(): that of a Buffer shares its memory.
    return new Uint8Array(value);
  }
  if (value instanceof Date) {
    bytesAtMost += 2 * scalarBytes;
    return new Date(value);
  }
  throw refusal(describe(value), what, trail);
}

function copyPlain(value: object, what: string, trail: Trail | undefined, depth: number): object {
  // The copy is made first: what is checked is what is sent, whatever getters return the second time.
  const copied: Record<string, unknown> = { ...value };
  for (const key in copied) {
    if (key === "__proto__") throw refusal("a field of that name", what, { parent: trail, key });
    const field = copied[key];
    bytesAtMost += scalarBytes + key.length * 3;
    if (typeof field === "number") bytesAtMost += scalarBytes;
    else if (typeof field === "string") bytesAtMost += scalarBytes + field.length * 3;
    else copied[key] = copy(field, what, { parent: trail, key }, depth + 1);
  }
  // The encoder takes an object with an own field "constructor" for an instance, and would call its toJSON.
  if (copied.constructor !== Object && Object.hasOwn(copied, "toJSON")) {
    throw refusal("a field beside one named constructor", what, { parent: trail, key: "toJSON" });
  }
  return copied;
}

/** Names the field that leads back to what holds it, or else the one that lies too deep. */
function refuseDepth(root: unknown, what: string): SynodError {
  const holders: object[] = [];
  const search = (value: unknown, trail: Trail | undefined): SynodError | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    if (holders.includes(value)) return refusal("a circular reference", what, trail);
    if (holders.length > depthMax) return refusal(`nested more than ${depthMax} deep`, what, trail);
    holders.push(value);
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const key of keys) {
      const found = search((value as Record<string | number, unknown>)[key], { parent: trail, key });
      if (found !== undefined) return found;
    }
    holders.pop();
    return undefined;
  };
  return search(root, undefined) ?? refusal("nested too deeply", what, undefined);
}

function describe(value: object): string {
  if (typeof (value as { then?: unknown }).then === "function") return "a promise";
  const name = value.constructor?.name;
  return name ? `an instance of ${name}` : "an object with a prototype of its own";
}

function refusal(found: string, what: string, trail: Trail | undefined): SynodError {
  let path = "";
  for (let at = trail; at !== undefined; at = at.parent) {
    path = (typeof at.key === "number" ? `[${at.key}]` : `.${at.key}`) + path;
  }
  path = what + path;
  return new SynodError(
    "NOT_SERIALIZABLE",
    `${path} is ${found}, which would not survive the encoding. Use plain objects, arrays, strings, numbers, ` +
      "64-bit bigints, booleans, null, undefined, Date and Uint8Array.",
    { path, outcome: "not-applied" },
  );
}
