import { Packr, RESET_BUFFER_MODE } from "msgpackr";
import { type Columns, fromColumns, toColumns } from "./command-columns.js";

/*
 * Commands, queries and results. Record definitions stand once in each encoded array, so that any thread can
 * decode it without having seen another. Bytes are copied out: a state machine that keeps a short byte string
 * must not keep the whole frame alive.
 *
 * Commands are an array of values, or, behind two bytes that say so, an array of columns (command-columns.ts).
 */
const packr = new Packr({ useRecords: true, copyBuffers: true });

/** No msgpack value begins with the first; with another second byte they are commands as bytes (byte-codec.ts). */
const columnsHeader = [0xc1, 2] as const;

/** Encodes values that were captured; the result is a copy of its own. */
function encodeValue(value: unknown, header: readonly number[] = []): Uint8Array {
  const packed = packr.pack(value, RESET_BUFFER_MODE);
  // No Buffer, whose slice() shares its memory, but memory that nobody has filled with zeros before.
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(header.length + packed.byteLength).buffer);
  copy.set(header);
  copy.set(packed, header.length);
  return copy;
}

function decodeValue(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

function encodeCommands(commands: readonly unknown[]): Uint8Array {
  const columns = toColumns(commands);
  return columns === undefined ? encodeValue(commands) : encodeValue(columns, columnsHeader);
}

function decodeCommands(bytes: Uint8Array): unknown[] {
  const [first, second] = columnsHeader;
  if (bytes[0] !== first || bytes[1] !== second) return decodeValue(bytes) as unknown[];
  return fromColumns(decodeValue(bytes.subarray(columnsHeader.length)) as Columns);
}

/** How commands travel: an array in one piece. */
export const commandCodec = { encode: encodeCommands, decode: decodeCommands };

/** How a single value travels, such as a query. */
export const valueCodec = { encode: (value: unknown) => encodeValue(value), decode: decodeValue };
