import type { CommandSegment } from "@synod/core";

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
