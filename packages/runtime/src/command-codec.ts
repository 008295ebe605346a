import { Packr, RESET_BUFFER_MODE } from "msgpackr";
import { type Columns, fromColumns, toColumns } from "./command-columns.js";

/*
 * Commands, queries and results. Record definitions stand once in each encoded array, so that any thread can
 * decode it without having seen another. Bytes are copied out: a state machine that keeps a short byte string
 * must not keep the whole frame alive.
 *
 * Commands are an array of values, or, behind a msgpack nil, one of columns (command-columns.ts).
 */
const packr = new Packr({ useRecords: true, copyBuffers: true });

const nil = 0xc0;

/** Encodes values that were captured; the result is a copy of its own. With `isBehindNil` it has that in front. */
function encodeValue(value: unknown, isBehindNil = false): Uint8Array {
  const at = isBehindNil ? 1 : 0;
  const packed = packr.pack(value, RESET_BUFFER_MODE);
  // No Buffer, whose slice() shares its memory.
  const copy = new Uint8Array(at + packed.byteLength);
  copy[0] = nil;
  copy.set(packed, at);
  return copy;
}

function decodeValue(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

function encodeCommands(commands: readonly unknown[]): Uint8Array {
  const columns = toColumns(commands);
  return columns === undefined ? encodeValue(commands) : encodeValue(columns, true);
}

function decodeCommands(bytes: Uint8Array): unknown[] {
  if (bytes[0] !== nil) return decodeValue(bytes) as unknown[];
  return fromColumns(decodeValue(bytes.subarray(1)) as Columns);
}

/** How commands travel: an array in one piece. */
export const commandCodec = { encode: encodeCommands, decode: decodeCommands };

/** How a single value travels, such as a query. */
export const valueCodec = { encode: (value: unknown) => encodeValue(value), decode: decodeValue };
