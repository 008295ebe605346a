import { crc32 } from "node:zlib";
import type { Batch, Segment } from "@synod/core";
import { segmentKinds } from "./frame-codec.js";

const fieldsMax = 8;
const fields = new Float64Array(fieldsMax);
const fieldBytes = new Uint8Array(fields.buffer);

/**
 * A checksum of 32 bits over everything that makes a batch's values: it shows damage and mix-ups, not malice. The
 * bytes of a segment are hashed as a whole, also those that a slice passes over.
 */
export function digestOfBatch({ timeMs, segments }: Batch): number {
  let digest = crc32(numbers([timeMs]), 0);
  for (const segment of segments) {
    digest = crc32(numbers(fieldsOf(segment)), digest);
    if (segment.kind === "commands") digest = crc32(segment.bytes, digest);
  }
  return digest;
}

function fieldsOf(segment: Segment): number[] {
  const kind = segmentKinds.indexOf(segment.kind);
  switch (segment.kind) {
    case "noop":
      return [kind, segment.count];
    case "open":
      return [kind, segment.client, segment.answerer];
    case "close":
      return [kind, segment.client, segment.session];
    case "keepAlive":
      return [kind, segment.client, segment.session, segment.answerer];
    default: {
      const { client, session, firstSequence, count, acknowledgedBelow, answerer } = segment;
      const skip = segment.kind === "commands" ? segment.skip : 0;
      return [kind, client, session, firstSequence, count, acknowledgedBelow, answerer, skip];
    }
  }
}

/** A view of a buffer that the next call reuses. */
function numbers(values: readonly number[]): Uint8Array {
  fields.set(values);
  return fieldBytes.subarray(0, values.length * Float64Array.BYTES_PER_ELEMENT);
}
