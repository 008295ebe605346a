import { Packr, RESET_BUFFER_MODE } from "msgpackr";

/*
 * Commands, queries and results. Record definitions stand once in each encoded array, so that any thread can
 * decode it without having seen another. Bytes are copied out: a state machine that keeps a short byte string
 * must not keep the whole frame alive.
 */
const packr = new Packr({ useRecords: true, copyBuffers: true });

/** Encodes values that were captured; the result is a copy of its own. */
function encodeValue(value: unknown): Uint8Array {
  const packed = packr.pack(value, RESET_BUFFER_MODE);
  // No Buffer, whose slice() shares its memory, but memory that nobody has filled with zeros before.
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(packed.byteLength).buffer);
  copy.set(packed);
  return copy;
}

function decodeValue(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

/** How commands travel: an array in one piece. */
export const commandCodec = {
  encode: (commands: readonly unknown[]): Uint8Array => encodeValue(commands),
  decode: (bytes: Uint8Array): unknown[] => decodeValue(bytes) as unknown[],
};

/** How a single value travels, such as a query. */
export const valueCodec = { encode: encodeValue, decode: decodeValue };
