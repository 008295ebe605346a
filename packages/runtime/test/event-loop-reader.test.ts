import { expect, test } from "vitest";
import { EventLoopReader } from "../dist/event-loop-reader.js";

/** An inbox in which there is always another frame, until it has handed out so many. */
function floodOf(framesMax: number) {
  const counters = { frames: 0, bytes: 0, wakeUps: 0, calls: 0, lostWakeUps: 0 };
  return {
    counters,
    receive(handler: (from: string, frame: Uint8Array) => void) {
      if (counters.frames === framesMax) return 0;
      counters.frames++;
      counters.bytes++;
      handler("learner-0", Uint8Array.of(0));
      return 1;
    },
    park: () => (counters.frames === framesMax ? new Promise<void>(() => undefined) : Promise.resolve()),
    depthBytes: () => 100,
    attach: () => undefined,
    detach: () => undefined,
    close: () => undefined,
  };
}

const recipientOf = (isOpen: () => boolean) => ({
  isOpen,
  onFrame: () => undefined,
  onFrames: () => undefined,
  onPause: () => undefined,
});

test("a mailbox that is never empty leaves the event loop its turns", async () => {
  const flood = floodOf(1_000_000);
  let hadTurn = false;
  const reader = new EventLoopReader(
    flood,
    recipientOf(() => !hadTurn),
  );
  const turn = new Promise<void>(resolve => {
    setTimeout(() => {
      hadTurn = true;
      resolve();
    });
  });
  reader.listen();
  await turn;
  expect(flood.counters.frames).toBeGreaterThan(0);
  expect(flood.counters.frames).toBeLessThan(1_000_000);
});

test("what waits is read to its end, and what comes meanwhile waits for the next time", () => {
  const flood = floodOf(1000);
  const reader = new EventLoopReader(
    flood,
    recipientOf(() => true),
  );
  reader.receiveWaiting();
  expect(flood.counters.frames).toBe(100);
});
