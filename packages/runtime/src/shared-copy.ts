/*
 * The engine copies to and from shared memory a word at a time only where both sides lie alike within their words,
 * and byte by byte otherwise, which takes about seven times as long. Between two buffers of one thread it makes no
 * difference, so what lies otherwise takes a detour.
 */
const wordBytes = 8;
/** So few bytes are not worth a detour. */
const bytesMin = 128;

let detour = Buffer.allocUnsafeSlow(64 * 1024);

/** Copies bytes of this thread into shared memory at `at`. */
export function copyToShared(shared: Uint8Array, at: number, source: Uint8Array): void {
  const { length } = source;
  const offset = (shared.byteOffset + at) % wordBytes;
  if (length < bytesMin || source.byteOffset % wordBytes === offset) return shared.set(source, at);
  if (detour.length < length + wordBytes) detour = Buffer.allocUnsafeSlow(2 * length + wordBytes);
  detour.set(source, offset);
  shared.set(detour.subarray(offset, offset + length), at);
}

/** Memory of `length` bytes for what lies in shared memory at `at`: it can be copied from there by words. */
export function memoryLike(shared: Uint8Array, at: number, length: number): Buffer {
  if (length < bytesMin) return Buffer.allocUnsafe(length);
  const offset = (shared.byteOffset + at) % wordBytes;
  return Buffer.allocUnsafe(length + offset).subarray(offset);
}
