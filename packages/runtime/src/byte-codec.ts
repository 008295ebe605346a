/*
 * Commands as bytes travel in one piece: a header of eight bytes, for commands of various lengths then where each of
 * them begins, then the commands one behind the other. The first byte is one that no msgpack value begins with, which
 * tells them from encoded commands (command-codec.ts). Numbers are little-endian.
 *
 *   0       1 byte    marker
 *   1       1 byte    form: 0 fixed length, 1 various lengths
 *   4       4 bytes   fixed: bytes of one command; various: how many commands
 *   8       4 bytes   various: where command i begins, behind this table; for each of them
 */
const byteMarker = 0xc1;
const headerBytes = 8;
const startBytes = 4;
const form = { fixed: 0, various: 1 } as const;

/** Where commands begin in their bytes: one every `recordBytes`, or at these positions, the last up to the end. */
export type ByteLayout = { readonly recordBytes: number } | { readonly offsets: ArrayLike<number> };

/** Encodes the commands `from` to `to`, excluded; a copy of its own. */
export function encodeBytes(bytes: Uint8Array, layout: ByteLayout, from: number, to: number): Uint8Array {
  if ("recordBytes" in layout) {
    const { recordBytes } = layout;
    const part = bytes.subarray(from * recordBytes, to * recordBytes);
    const encoded = withHeader(form.fixed, recordBytes, headerBytes, part);
    return encoded;
  }
  const { offsets } = layout;
  const count = to - from;
  const first = offsets[from]!;
  const end = to < offsets.length ? offsets[to]! : bytes.byteLength;
  const tableBytes = count * startBytes;
  const encoded = withHeader(form.various, count, headerBytes + tableBytes, bytes.subarray(first, end));
  const table = new DataView(encoded.buffer, headerBytes, tableBytes);
  for (let index = 0; index < count; index++)
    table.setUint32(index * startBytes, offsets[from + index]! - first, true);
  return encoded;
}

function withHeader(formByte: number, number: number, dataAt: number, data: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(dataAt + data.byteLength);
  encoded[0] = byteMarker;
  encoded[1] = formByte;
  new DataView(encoded.buffer).setUint32(4, number, true);
  encoded.set(data, dataAt);
  return encoded;
}

/** Says that encoded commands are bytes, for a state machine's `applyBatch`. */
export function isBytes(encoded: Uint8Array): boolean {
  return encoded[0] === byteMarker;
}

/** Where commands stand in what {@link encodeBytes} made. */
export interface ByteTable {
  /** Bytes of one command; 0 where lengths vary. */
  readonly recordBytes: number;
  /** Where the first command begins. */
  readonly dataAt: number;
  /** Where command `index` begins; the one behind the last begins at the end. Only where lengths vary. */
  startOf(index: number): number;
}

/** Reads the header. `view` is of all the encoded bytes. */
export function byteTable(view: DataView): ByteTable {
  const number = view.getUint32(4, true);
  if (view.getUint8(1) === form.fixed) {
    return { recordBytes: number, dataAt: headerBytes, startOf: index => headerBytes + index * number };
  }
  const dataAt = headerBytes + number * startBytes;
  const startOf = (index: number) =>
    index < number ? dataAt + view.getUint32(headerBytes + index * startBytes, true) : view.byteLength;
  return { recordBytes: 0, dataAt, startOf };
}
