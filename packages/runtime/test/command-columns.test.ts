import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { captureCommand, commandCodec } from "@synod/runtime/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBytes } from "../src/byte-codec.js";
import { toColumns } from "../src/command-columns.js";

const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 2 ** 31);

const key = fc.oneof(
  fc.string({ unit: "binary" }).filter(name => !["__proto__", "toJSON", "constructor"].includes(name)),
  fc.constantFrom("toString", "0", "10", "-1", "length", "", "'\"`\\\n", "\u2028", "__structure__"),
);
const field = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, Number.NaN, "set", 0),
  fc.integer(),
  fc.double().map(number => (Object.is(number, -0) ? 0 : number)),
  fc.string({ unit: "binary" }),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.record({ nested: fc.integer() }),
  fc.uint8Array({ maxLength: 4 }).map(bytes => new Uint8Array(bytes)),
  fc.date({ noInvalidDate: true }),
);

/** Byte arrays come back as buffers. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return ["bytes", ...value];
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([name, inner]) => [name, plain(inner)]);
};

const captured = (commands: readonly unknown[]) => commands.map(command => captureCommand(command).value);
function survive(commands: readonly unknown[]): void {
  const decoded = commandCodec.decode(commandCodec.encode(captured(commands)));
  expect(decoded.map(plain)).toEqual(commands.map(plain));
}

describe(`commands by columns, seed ${seed}`, () => {
  test("objects with the same fields, whatever is in them", () => {
    const rows = fc.uniqueArray(key, { minLength: 1, maxLength: 5 }).chain(keys =>
      fc.array(
        fc
          .tuple(...keys.map(() => field))
          .map(values => Object.fromEntries(keys.map((name, at) => [name, values[at]]))),
        { minLength: 8, maxLength: 20 },
      ),
    );
    fc.assert(fc.property(rows, survive), { seed, numRuns: 500 });
  });

  test("a mixture of anything, one command that differs at any place", () => {
    const same = { op: "set", key: "a", value: 1 };
    const others: unknown[] = [
      7,
      null,
      "text",
      [1, 2],
      {},
      new Date(5),
      new Uint8Array([1]),
      { op: "set", key: "a" },
      { op: "set", value: 1, key: "a" },
      { op: "set", key: "a", value: 1, more: true },
      { op: "set", key: "a", value: 1, constructor: "own" },
    ];
    for (const other of others) {
      for (const place of [0, 5, 19]) {
        const commands: unknown[] = Array.from({ length: 20 }, (_, value) => ({ ...same, value }));
        commands[place] = other;
        survive(commands);
        expect(toColumns(captured(commands))).toBeUndefined();
      }
    }
  });

  test("a value that is the same in all commands goes once; each command is an object of its own", () => {
    const commands = Array.from({ length: 100 }, (_, value) => ({ op: "set", value, tags: ["x"] }));
    const [count, keys, columns] = toColumns(commands)!;
    expect([count, keys, columns[0]]).toEqual([100, ["op", "value", "tags"], "set"]);
    const decoded = commandCodec.decode(commandCodec.encode(commands)) as typeof commands;
    decoded[0]!.tags.push("y");
    decoded[0]!.op = "changed";
    expect(decoded[1]).toEqual({ op: "set", value: 1, tags: ["x"] });
    expect(commandCodec.encode(commands).byteLength).toBeLessThan(100 * 6);
  });

  test("more sorts of commands than are remembered", () => {
    for (let sort = 0; sort < 600; sort++) {
      survive(Array.from({ length: 8 }, (_, value) => ({ [`field${sort}`]: value })));
    }
  });

  test("they are not taken for commands as bytes", () => {
    const commands = Array.from({ length: 8 }, (_, value) => ({ value }));
    expect(isBytes(commandCodec.encode(commands))).toBe(false);
  });

  test("where code may not be made from strings", () => {
    const internal = fileURLToPath(import.meta.resolve("@synod/runtime/internal"));
    const script = `
      import { commandCodec } from ${JSON.stringify(internal)};
      const commands = Array.from({ length: 50 }, (_, value) => ({ op: "set", key: "key" + value, value }));
      console.log(JSON.stringify(commandCodec.decode(commandCodec.encode(commands))));
    `;
    const args = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script];
    const decoded: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    expect(decoded).toEqual(
      Array.from({ length: 50 }, (_, value) => ({ op: "set", key: `key${value}`, value })),
    );
  });
});
