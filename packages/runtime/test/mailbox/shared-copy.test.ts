import { describe, expect, it } from "vitest";
import { copyToShared, memoryLike } from "../../src/shared-copy.js";

const lengths = [0, 1, 127, 128, 129, 1000, 70_000];

function sample(length: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(length + offset).subarray(offset);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + 7) % 251;
  return bytes;
}

describe("copying to and from shared memory", () => {
  it.each(lengths)("copies %i bytes to every place of a word, from every place", length => {
    for (let from = 0; from < 8; from++) {
      for (let to = 0; to < 8; to++) {
        const shared = new Uint8Array(new SharedArrayBuffer(length + 32), 8);
        const source = sample(length, from);
        copyToShared(shared, to, source);
        expect(Buffer.compare(shared.slice(to, to + length), source)).toBe(0);
        expect(shared.slice(0, to).every(byte => byte === 0)).toBe(true);
        expect(shared.slice(to + length).every(byte => byte === 0)).toBe(true);
      }
    }
  });

  it.each([128, 70_000])("gives %i bytes of memory that lie as the shared ones do", length => {
    for (let at = 0; at < 16; at++) {
      const shared = new Uint8Array(new SharedArrayBuffer(length + 32), 4);
      const memory = memoryLike(shared, at, length);
      expect(memory.byteLength).toBe(length);
      expect(memory.byteOffset % 8).toBe((4 + at) % 8);
    }
  });
});
