import fc from "fast-check";
import { expect, test } from "vitest";
import { type Expiring, ExpiryQueue } from "../../dist/machines/expiry-queue.js";
import { seed } from "./support.js";

interface Entry extends Expiring {
  readonly version: number;
}

test("entries come in the order of their times, whatever was moved and removed before", () => {
  const step = fc.record({
    at: fc.nat(11),
    what: fc.constantFrom("put", "put", "put", "remove", "take"),
    timeMs: fc.nat(9),
  });
  const property = fc.property(fc.array(step, { maxLength: 60, size: "max" }), steps => {
    const queue = new ExpiryQueue<Entry>();
    const entries = Array.from(
      { length: 12 },
      (_, version): Entry => ({ version, expiresAtMs: 0, queueIndex: -1 }),
    );
    const queued = new Set<Entry>();
    const inOrder = () => [...queued].sort((a, b) => a.expiresAtMs - b.expiresAtMs || a.version - b.version);
    for (const { at, what, timeMs } of steps) {
      const entry = entries[at]!;
      if (what === "put") {
        queue.put(entry, timeMs);
        queued.add(entry);
      } else if (what === "remove") {
        queue.remove(entry);
        queued.delete(entry);
      } else {
        const due = queue.due(timeMs);
        expect(due).toBe(inOrder().find(({ expiresAtMs }) => expiresAtMs <= timeMs));
        if (due === undefined) continue;
        queue.remove(due);
        queued.delete(due);
      }
      const ended = [...queued].filter(({ expiresAtMs }) => expiresAtMs <= timeMs).length;
      if (queue.size === queued.size && queue.countDue(timeMs) === ended) continue;
      expect([queue.size, queue.countDue(timeMs)]).toEqual([queued.size, ended]);
    }
    for (const expected of inOrder()) {
      const next = queue.due(Number.POSITIVE_INFINITY);
      expect(next).toBe(expected);
      queue.remove(expected);
    }
    expect(queue.due(Number.POSITIVE_INFINITY)).toBeUndefined();
  });
  fc.assert(property, { numRuns: 200, seed });
});
