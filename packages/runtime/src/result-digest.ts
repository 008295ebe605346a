import { crc32 } from "node:zlib";
import { ApplyFailure, type Result } from "@synod/core";
import { valueCodec } from "./command-codec.js";

const float = new Float64Array(1);
const words = new Int32Array(float.buffer);
/** An odd constant near 2^32 divided by the golden ratio: neighbours get digests far apart. */
const spread = 0x9e3779b1;

/**
 * 32 bits that stand for a result when learners compare theirs. Numbers, which are most common, cost a few
 * nanoseconds; other results are encoded for it.
 */
export function digestOfResult(result: Result): number {
  switch (typeof result) {
    case "number":
      // What a snapshot was restored from has no -0, and one NaN is as good as another.
      float[0] = Number.isNaN(result) ? Number.NaN : result + 0;
      return Math.imul(words[0]! ^ Math.imul(words[1]!, spread), spread);
    case "undefined":
      return 1;
    case "boolean":
      return result ? 2 : 3;
    default:
      if (result === null) return 4;
      if (result instanceof ApplyFailure) return crc32(result.reason, 5) | 0;
      return crc32(valueCodec.encode(result), 6) | 0;
  }
}
