import type { Batch, CommandSegment } from "@synod/core";
import { describeBatch } from "@synod/core/testing";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Commands of a script are words; a segment's payload is the words with spaces between them. */
export function encodeWords(words: readonly string[]): Uint8Array {
  return encoder.encode(words.join(" "));
}

/** The words of a segment from its position `skip` on. */
export function wordsOf(segment: CommandSegment, skip = 0): readonly string[] {
  const words = decoder.decode(segment.bytes).split(" ");
  return words.slice(segment.skip + skip, segment.skip + segment.count);
}

export const describeWords = (segment: CommandSegment): string => wordsOf(segment).join(", ");

/** Only 16 bits, which read well. Source: Fowler, Noll, Vo, FNV-1a. */
export function digestOf(batch: Batch): number {
  let hash = 0x811c9dc5;
  for (const character of `${batch.timeMs} ${describeBatch(batch)} ${describeBatch(batch, describeWords)}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** The same batch with one bit of its first word turned: `a` becomes `A`. Undefined when it holds no command. */
export function damaged(batch: Batch): Batch | undefined {
  const at = batch.segments.findIndex(({ kind }) => kind === "commands");
  const segment = batch.segments[at];
  if (segment?.kind !== "commands") return undefined;
  const words = decoder.decode(segment.bytes).split(" ");
  const first =
    encodeWords(words.slice(0, segment.skip + 1)).byteLength -
    encodeWords([words[segment.skip] ?? ""]).byteLength;
  const bytes = segment.bytes.slice();
  bytes[first] = (bytes[first] as number) ^ 0x20;
  const segments = batch.segments.map((known, index) => (index === at ? { ...segment, bytes } : known));
  return { ...batch, segments };
}
