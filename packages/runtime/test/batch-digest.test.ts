import type { Batch, Segment } from "@synod/core";
import { decodeFrame, encodeFrame } from "@synod/runtime/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOfBatch } from "../dist/batch-digest.js";

const big = 2 ** 32 + 5;
const common = { client: 3, session: big, firstSequence: big + 7, acknowledgedBelow: 2, answerer: 1 };
const segments: Segment[] = [
  { kind: "commands", ...common, count: 3, skip: 1, bytes: Uint8Array.of(1, 2, 3, 4) },
  { kind: "fill", ...common, count: 3 },
  { kind: "open", client: 3, count: 1, answerer: 1 },
  { kind: "close", client: 3, session: big, count: 1 },
  { kind: "keepAlive", client: 3, session: big, count: 1, answerer: 1 },
  { kind: "noop", count: 3 },
];

function batchOf(...parts: readonly Segment[]): Batch {
  return { timeMs: 1000, count: parts.reduce((sum, { count }) => sum + count, 0), segments: parts };
}

/** Every field of a segment with what it is changed into; the count of a segment of one is always 1. */
function changesOf(segment: Segment): [string, Segment][] {
  const isOne = ["open", "close", "keepAlive"].includes(segment.kind);
  return Object.entries(segment)
    .filter(([field]) => field !== "kind" && !(isOne && field === "count"))
    .map(([field, value]: [string, unknown]) => {
      const changed = value instanceof Uint8Array ? value.with(2, 9) : (value as number) + 1;
      return [`${segment.kind}.${field}`, { ...segment, [field]: changed } as Segment];
    });
}

const changes = segments.flatMap(segment =>
  changesOf(segment).map(([name, changed]) => ({ name, segment, changed })),
);

describe("the digest of a batch", () => {
  test.each(changes)("differs for another $name", ({ segment, changed }) => {
    const noop: Segment = { kind: "noop", count: 1 };
    expect(digestOfBatch(batchOf(changed))).not.toBe(digestOfBatch(batchOf(segment)));
    expect(digestOfBatch(batchOf(noop, changed, noop))).not.toBe(digestOfBatch(batchOf(noop, segment, noop)));
  });

  test("differs for another time, another order, and another kind", () => {
    const batch = batchOf(...segments);
    const others: Batch[] = [
      { ...batch, timeMs: 1001 },
      { ...batch, timeMs: 1000.5 },
      batchOf(...segments.toReversed()),
      ...segments.map((_, at) => batchOf(...segments.toSpliced(at, 1))),
      ...segments.map((_, at) => batchOf(...segments.toSpliced(at, 1, { kind: "noop", count: 2 }))),
    ];
    const digests = [batch, ...others].map(digestOfBatch);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test("is a whole number of 32 bits, the same each time, and the same for a batch that was sent", () => {
    const number = fc.oneof(fc.nat(5), fc.maxSafeInteger().map(Math.abs));
    const part = fc.oneof(
      fc.constantFrom(...segments),
      fc.record({ session: number, firstSequence: number, bytes: fc.uint8Array() }).map(
        ({ bytes, ...more }): Segment => ({
          kind: "commands",
          ...common,
          ...more,
          count: 1,
          skip: 0,
          bytes: Buffer.from(bytes),
        }),
      ),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), fc.nat(), (parts, timeMs) => {
        const batch = { ...batchOf(...parts), timeMs };
        const digest = digestOfBatch(batch);
        expect(digest).toBe(digest >>> 0);
        expect(digestOfBatch(batch)).toBe(digest);
        const ballot = { round: 1, incarnation: 1, proposer: 0 };
        const frame = encodeFrame({ type: "chosen", ballot, firstInstance: 0, count: batch.count, batch });
        const { message } = decodeFrame(Buffer.from(frame));
        expect(message.type === "chosen" && digestOfBatch(message.batch)).toBe(digest);
      }),
    );
  });
});
