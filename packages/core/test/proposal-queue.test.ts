import { limits, type Segment } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProposalQueue } from "../dist/proposal-queue.js";
import { commandSegment, sequencesOf } from "./support.js";

const caps = { commandsWanted: 8, commandsMax: 8, bytesMax: 100 };

/** Segments with sequence numbers that go on from one to the next. */
const segments = fc
  .array(fc.record({ count: fc.integer({ min: 1, max: 20 }), bytes: fc.nat(60) }), {
    maxLength: 20,
    size: "max",
  })
  .map(shapes => {
    let next = 1;
    return shapes.map(({ count, bytes }) => {
      next += count;
      return commandSegment(next - count, count, { bytes: new Uint8Array(bytes) });
    });
  });

describe("ProposalQueue", () => {
  it("takes no more bytes than it may, but for one proposal that is alone", () => {
    const queue = new ProposalQueue();
    const large = new Uint8Array(limits.proposerQueueBytesMax);
    expect(queue.push([commandSegment(1, 1, { bytes: large }), commandSegment(2, 1)], false, 0)).toBe(true);
    expect(queue.push([commandSegment(3, 1, { bytes: new Uint8Array(1) })], false, 0)).toBe(false);
    expect(queue.commands).toBe(2);
    queue.takeAll();
    expect(queue.push([commandSegment(3, 1, { bytes: new Uint8Array(1) })], false, 0)).toBe(true);
  });

  it("gives everything in order, in batches that keep to the caps and could not hold the next segment too", () => {
    const anyCaps = fc
      .record({ wanted: fc.integer({ min: 1, max: 12 }), more: fc.nat(6), bytesMax: fc.nat(100) })
      .map(({ wanted, more, bytesMax }) => ({
        commandsWanted: wanted,
        commandsMax: wanted + more,
        bytesMax,
      }));
    fc.assert(
      fc.property(segments, anyCaps, (waiting, { commandsWanted, commandsMax, bytesMax }) => {
        const queue = new ProposalQueue();
        expect(queue.push(waiting, false, 0)).toBe(true);
        const counts = waiting.map(({ count }) => count);
        const given: number[] = [];
        while (queue.commands > 0) {
          const batch = queue.takeBatch(3, { commandsWanted, commandsMax, bytesMax });
          expect(batch.timeMs).toBe(3);
          expect(batch.count).toBe(sequencesOf(batch).length);
          expect(batch.count).toBeLessThanOrEqual(commandsMax);
          const bytes = bytesOf(batch.segments);
          if (batch.segments.length > 1) {
            expect(batch.count).toBeLessThanOrEqual(commandsWanted);
            expect(bytes).toBeLessThanOrEqual(bytesMax);
          }
          given.push(...sequencesOf(batch));
          const next = waiting.find(({ firstSequence }) => firstSequence === given.length + 1);
          if (next === undefined) continue;
          const tooMany = batch.count + next.count > commandsWanted;
          expect(tooMany || bytes + next.bytes.byteLength > bytesMax).toBe(true);
        }
        const total = counts.reduce((sum, count) => sum + count, 0);
        expect(given).toEqual(Array.from({ length: total }, (_, at) => at + 1));
        expect(queue.bytes).toBe(0);
      }),
    );
  });

  it("divides only what is too long for any batch", () => {
    const queue = new ProposalQueue();
    queue.push([commandSegment(1, 20), commandSegment(21, 4)], false, 0);
    const counts = [1, 2, 3].map(() => queue.takeBatch(0, caps).segments.map(({ count }) => count));
    expect(counts).toEqual([[8], [8], [4, 4]]);
  });

  it("takes a segment that is longer than wanted whole, and alone", () => {
    const queue = new ProposalQueue();
    queue.push([commandSegment(1, 5), commandSegment(6, 1)], false, 0);
    expect(queue.takeBatch(0, { ...caps, commandsWanted: 2 }).count).toBe(5);
    expect(queue.takeBatch(0, { ...caps, commandsWanted: 2 }).count).toBe(1);
  });

  it("takes all of what comes together or nothing of it", () => {
    const queue = new ProposalQueue();
    const half = limits.proposerQueueCommandsMax / 2;
    expect(queue.push([commandSegment(1, half)], false, 0)).toBe(true);
    expect(queue.push([commandSegment(1, half), commandSegment(1, 1)], false, 0)).toBe(false);
    expect(queue.commands).toBe(half);
    expect(queue.push([commandSegment(1, half)], false, 0)).toBe(true);
  });

  it("knows of everything that waits, in order, whether it was forwarded", () => {
    const queue = new ProposalQueue();
    queue.push([commandSegment(1, 20)], true, 0);
    queue.push([commandSegment(21, 1), commandSegment(22, 1)], false, 0);
    queue.push([commandSegment(23, 1)], true, 0);
    queue.takeBatch(0, caps);
    const { fresh, forwarded } = queue.takeAll();
    const ranges = (taken: readonly Segment[]) =>
      taken.map(segment => "firstSequence" in segment && [segment.firstSequence, segment.count]);
    expect(ranges(forwarded)).toEqual([
      [9, 12],
      [23, 1],
    ]);
    expect(ranges(fresh)).toEqual([
      [21, 1],
      [22, 1],
    ]);
    expect(queue.takeAll()).toEqual({ fresh: [], forwarded: [] });
  });

  it("knows since when something has waited", () => {
    const queue = new ProposalQueue();
    expect(queue.waitsSince).toBe(Number.POSITIVE_INFINITY);
    queue.push([commandSegment(1, 8)], false, 5);
    queue.push([commandSegment(9, 8)], false, 9);
    expect([queue.waitsSince, queue.bytes]).toEqual([5, 16]);
    queue.takeBatch(0, caps);
    expect([queue.waitsSince, queue.bytes]).toEqual([5, 8]);
    queue.takeBatch(0, caps);
    expect([queue.waitsSince, queue.bytes]).toEqual([Number.POSITIVE_INFINITY, 0]);
    queue.push([commandSegment(17, 1)], false, 12);
    expect(queue.takeAll().fresh).toHaveLength(1);
    expect([queue.waitsSince, queue.commands, queue.bytes]).toEqual([Number.POSITIVE_INFINITY, 0, 0]);
  });
});

function bytesOf(taken: readonly Segment[]): number {
  return taken.reduce(
    (sum, segment) => sum + (segment.kind === "commands" ? segment.bytes.byteLength : 0),
    0,
  );
}
