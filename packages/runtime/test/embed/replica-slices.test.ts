import type { AcceptedEntry } from "@synod/core";
import { describe, expect, test } from "vitest";
import { commandCodec } from "../../dist/command-codec.js";
import { EventLoopReader } from "../../dist/event-loop-reader.js";
import { Applier } from "../../dist/replica/applier.js";
import { EntryTail, entryAt } from "../../dist/replica/entry-tail.js";
import { Slice } from "../../dist/replica/slice.js";
import { FakeEventLoop } from "./fake-event-loop.js";

const sliceMs = 2;

function sliced() {
  const loop = new FakeEventLoop();
  const work = (ms: number) => () => {
    loop.nowMs += ms;
  };
  return { loop, slice: new Slice(sliceMs, loop), work };
}

describe("a slice", () => {
  test("is one for all that is done in a turn, and what others do in between does not count", () => {
    const { loop, slice, work } = sliced();
    slice.within(work(1.5));
    loop.nowMs += 100;
    expect(slice.isOver).toBe(false);
    slice.within(() => {
      slice.within(work(0.25));
      expect(slice.isOver).toBe(false);
      work(0.25)();
      expect(slice.isOver).toBe(true);
    });
    loop.turn();
    expect(slice.isOver).toBe(false);
    slice.within(work(1));
    loop.turn();
    expect(slice.longestMs).toBe(2);
  });

  test("counts what fails as well", () => {
    const { slice, work } = sliced();
    const failing = () => {
      work(3)();
      throw new Error("as the test wants");
    };
    expect(() => slice.within(failing)).toThrow("as the test wants");
    expect(slice.longestMs).toBe(3);
    expect(slice.isOver).toBe(true);
  });

  test("pauses what goes on in microtasks once it is over, whoever has used it up", async () => {
    const { loop, slice, work } = sliced();
    const pause = slice.pauses();
    work(1)();
    expect(pause()).toBeUndefined();
    slice.within(work(0.5));
    // From the last pause on, without what was counted already.
    work(0.5)();
    const paused = pause();
    expect(paused).toBeInstanceOf(Promise);
    loop.turn();
    loop.nowMs += 50;
    await paused;
    expect(slice.longestMs).toBe(2);
  });
});

/** A segment of commands that follow those below, proposed in session 0, which instance 0 opens. */
function entryOf(firstInstance: number, count: number): AcceptedEntry {
  const bytes = commandCodec.encode(
    Array.from({ length: count }, (_, index) => ({ n: firstInstance + index })),
  );
  const segment = {
    ...({ kind: "commands", client: 1, session: 0, firstSequence: firstInstance, count } as const),
    ...{ acknowledgedBelow: 1, answerer: 0, skip: 0, bytes },
  };
  return entryWith(firstInstance, count, segment);
}

function entryWith(
  firstInstance: number,
  count: number,
  segment: AcceptedEntry["batch"]["segments"][number],
): AcceptedEntry {
  const ballot = { round: 1, incarnation: 1, proposer: 0 };
  return { ballot, firstInstance, count, batch: { timeMs: 1, count, segments: [segment] }, source: null };
}

const opening = entryWith(0, 1, { kind: "open", count: 1, client: 1, answerer: 0 });

function applying(commandMs: number) {
  const { loop, slice } = sliced();
  const applied: number[] = [];
  const given: unknown[] = [];
  const machine = {
    apply(command: { n: number }) {
      loop.nowMs += commandMs;
      applied.push(command.n);
      given.push(command);
      return command.n;
    },
    *snapshot() {},
    restore: async () => undefined,
  };
  const tail = new EntryTail({ commandsMax: 1000, bytesMax: 1_000_000 });
  const applier = new Applier(machine, 60_000, tail);
  applier.push([opening]);
  const run = () => slice.within(() => applier.run(slice));
  return { loop, slice, applier, tail, applied, given, run };
}

describe("applying", () => {
  test.each([0.01, 0.3, 7])(
    "commands of %d ms takes as many as fit into a slice, and at least one",
    commandMs => {
      const { loop, slice, applier, applied, run } = applying(commandMs);
      const count = 600;
      applier.push([entryOf(1, count)]);
      const counts: number[] = [];
      while (!applier.isIdle) {
        const before = applied.length;
        run();
        counts.push(applied.length - before);
        // Called again in the same turn it does nothing.
        const after = applied.length;
        if (slice.isOver) run();
        expect(applied).toHaveLength(after);
        loop.turn();
        if (counts.length > count) break;
      }
      expect(applied).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      const pieceMs = Math.max(0.5, commandMs);
      expect(Math.max(...counts) * commandMs).toBeLessThanOrEqual(sliceMs + pieceMs);
      expect(Math.min(...counts)).toBeGreaterThan(0);
    },
  );

  test("keeps commands encoded that nobody follows, and tells them all the same", () => {
    const { applier, tail, given, run } = applying(0);
    applier.push([entryOf(1, 10)]);
    run();
    const read = () => entryAt(tail.runFrom(4)!, 4).command;
    expect(read()).toEqual({ n: 4 });
    expect(read()).not.toBe(given[3]);
    tail.isFollowed = true;
    applier.push([entryOf(11, 10)]);
    run();
    expect(entryAt(tail.runFrom(14)!, 14)).toMatchObject({ instance: 14, result: 14 });
    expect(entryAt(tail.runFrom(14)!, 14).command).toBe(given[13]);
  });
});

/** An inbox with so many frames, each of one byte. */
function inboxOf(framesAtFirst: number) {
  let frames = framesAtFirst;
  const counters = { frames: 0, bytes: 0, wakeUps: 0, calls: 0, lostWakeUps: 0 };
  return {
    counters,
    add: (more: number) => {
      frames += more;
    },
    receive(handler: (from: string, frame: Uint8Array) => void, framesMax: number) {
      const count = Math.min(framesMax, frames - counters.frames);
      for (let index = 0; index < count; index++) {
        counters.frames++;
        counters.bytes++;
        handler("learner-0", Uint8Array.of(0));
      }
      return count;
    },
    park: () => new Promise<void>(() => undefined),
    depthBytes: () => frames - counters.frames,
    attach: () => undefined,
    detach: () => undefined,
    close: () => undefined,
  };
}

describe("reading mail", () => {
  const reading = (inbox: ReturnType<typeof inboxOf>, onFrame: () => void) => {
    const { loop, slice } = sliced();
    const recipient = { isOpen: () => true, onFrame, onFrames: () => undefined, onPause: () => undefined };
    return { loop, slice, reader: new EventLoopReader(inbox, recipient, slice, 4) };
  };

  test("goes on in other turns when a slice is over, and looks at the clock after a few frames", () => {
    const inbox = inboxOf(100);
    const { loop, slice, reader } = reading(inbox, () => {
      loop.nowMs += 0.3;
    });
    reader.listen();
    const counts = [inbox.counters.frames];
    while (inbox.counters.frames < 100) {
      loop.turn();
      counts.push(inbox.counters.frames - counts.reduce((sum, count) => sum + count, 0));
    }
    // Two looks at four frames take 2.4 ms.
    expect(counts).toEqual([...new Array<number>(12).fill(8), 4]);
    expect(slice.longestMs).toBeCloseTo(2.4);
  });

  test("before deadlines takes turns as well, and ends with what was there when it began", () => {
    const inbox = inboxOf(20);
    const { loop, reader } = reading(inbox, () => {
      loop.nowMs += 0.5;
      // Somebody sends as fast as it is read.
      inbox.add(1);
    });
    let readAt: number | undefined;
    reader.receiveWaitingInTurns(() => {
      readAt = inbox.counters.frames;
    });
    expect(inbox.counters.frames).toBe(4);
    expect(readAt).toBeUndefined();
    for (let turn = 1; turn <= 4; turn++) loop.turn();
    expect(readAt).toBe(20);
  });
});
