import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type LaneKind, ringDoorbell } from "../../dist/mailbox/index.js";
import { type Implementation, isSame, Mailboxes, makeFrame, textFrame, texts } from "./support.js";

const laneKinds: readonly LaneKind[] = ["control", "bulk"];

/** Leaves out what an implementation does not promise: unlike a skipped test, nobody should go and repair it. */
function describeIf(applies: boolean, name: string, define: () => void): void {
  if (applies) describe(name, define);
}

function itIf(applies: boolean, name: string, test: () => void | Promise<void>): void {
  if (applies) it(name, test);
}

/** What every mailbox does, whatever it is made of. */
export function mailboxContract(name: string, implementation: Implementation): void {
  const isBounded = implementation.kind === "ring";
  const canParkHere = implementation.waiting === "event-loop";

  describe(name, () => {
    let open: Mailboxes[] = [];
    afterEach(() => {
      for (const mailboxes of open) mailboxes.close();
      open = [];
    });
    function mailboxesOf(capacities?: { controlBytes: number; bulkBytes: number }): Mailboxes {
      const mailboxes = new Mailboxes(implementation, capacities);
      open.push(mailboxes);
      return mailboxes;
    }

    describe("order", () => {
      it("is kept in each lane", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        for (let number = 0; number < 30; number++) {
          expect(outbox.send(textFrame(`bulk ${number}`), "bulk")).toBe(true);
          if (number % 3 === 0) expect(outbox.send(textFrame(`control ${number}`), "control")).toBe(true);
          if (number % 7 === 0) outbox.flush();
        }
        const received = texts(await mailboxes.receive(40));
        const numbersOf = (lane: string) =>
          received.filter(text => text.startsWith(lane)).map(text => Number(text.split(" ")[1]));
        expect(numbersOf("bulk")).toEqual(Array.from({ length: 30 }, (_, at) => at));
        expect(numbersOf("control")).toEqual(Array.from({ length: 10 }, (_, at) => at * 3));
      });

      it("puts the control lanes of all senders before any bulk lane", async () => {
        const mailboxes = mailboxesOf();
        for (const sender of ["a", "b"]) {
          const { outbox } = mailboxes.connect(sender);
          for (const lane of ["bulk", "control", "bulk", "control"] as const)
            outbox.send(textFrame(lane), lane);
          outbox.flush();
        }
        await mailboxes.arrived(4 * "bulk".length + 4 * "control".length);
        const received = texts(await mailboxes.receive(8));
        expect(received).toEqual([...Array(4).fill("control"), ...Array(4).fill("bulk")]);
      });

      it("gives every sender its turn", async () => {
        const mailboxes = mailboxesOf();
        for (const sender of ["a", "b", "c"]) {
          const { outbox } = mailboxes.connect(sender);
          for (let number = 0; number < 4; number++) outbox.send(textFrame(`${number}`), "bulk");
          outbox.flush();
        }
        await mailboxes.arrived(12);
        const received = await mailboxes.receive(12, 5);
        expect(texts(received)).toEqual(["0", "0", "0", "1", "1", "1", "2", "2", "2", "3", "3", "3"]);
        expect(received.map(({ from }) => from).join("")).toBe("abcabcabcabc");
      });

      it("hands over no more frames than asked for, and loses none of the others", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        for (let number = 0; number < 9; number++) outbox.send(textFrame(`${number}`), "bulk");
        outbox.flush();
        await mailboxes.arrived(9);
        const received: string[] = [];
        const handler = (_: string, frame: Uint8Array) => received.push(new TextDecoder().decode(frame));
        expect(mailboxes.inbox.receive(handler, 4)).toBe(4);
        expect(mailboxes.inbox.receive(handler, 4)).toBe(4);
        expect(mailboxes.inbox.receive(handler, 4)).toBe(1);
        expect(mailboxes.inbox.receive(handler, 4)).toBe(0);
        expect(received.join("")).toBe("012345678");
        expect(mailboxes.inbox.depthBytes()).toBe(0);
        expect(mailboxes.inbox.counters).toMatchObject({ frames: 9, bytes: 9 });
      });

      it("survives a handler that throws", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        for (const text of ["first", "second"]) outbox.send(textFrame(text), "bulk");
        outbox.flush();
        await mailboxes.arrived("firstsecond".length);
        const refuse = () => {
          throw new Error("refused");
        };
        expect(() => mailboxes.inbox.receive(refuse, 10)).toThrow("refused");
        expect(texts(await mailboxes.receive(1))).toEqual(["second"]);
      });
    });

    describe("frames", () => {
      const capacities = { controlBytes: 1024, bulkBytes: 4096 };
      it.each(laneKinds)("of every size pass the %s lane unchanged", async lane => {
        const mailboxes = mailboxesOf(capacities);
        const { outbox } = mailboxes.connect("a");
        const laneBytes = lane === "bulk" ? capacities.bulkBytes : capacities.controlBytes;
        const small = [0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 200];
        const half = [-9, -8, -7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map(more => laneBytes / 2 + more);
        const whole = [-5, -4, -1, 0, 1, 4].map(more => laneBytes + more);
        const far = [laneBytes * 3 + 1, laneBytes * 40 + 3, 70_000];
        let number = 0;
        for (const length of [...small, ...half, ...whole, ...far, ...small]) {
          const frame = makeFrame(length, ++number);
          expect(outbox.send(frame, lane)).toBe(true);
          const [received] = await mailboxes.receive(1);
          expect(isSame(received!.frame, frame), `${length} bytes`).toBe(true);
        }
      });

      it("are private copies on both sides", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        const kept: Uint8Array[] = [];
        for (let round = 0; round < 60; round++) {
          for (const length of [5, 64, 300, 3000]) {
            const frame = makeFrame(length, round);
            expect(outbox.send(frame, "bulk")).toBe(true);
            frame.fill(0xee);
            const [received] = await mailboxes.receive(1);
            kept.push(received!.frame);
          }
        }
        for (const [at, frame] of kept.entries()) {
          const round = Math.floor(at / 4);
          expect(isSame(frame, makeFrame(frame.length, round)), `frame ${at}`).toBe(true);
          frame.fill(0xdd);
        }
      });
    });

    describeIf(isBounded, "a full lane", () => {
      it("refuses, writes nothing, and loses nothing that it had taken", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        let sent = 0;
        while (outbox.send(makeFrame(100, sent), "bulk")) sent++;
        expect(sent).toBe(Math.floor(4096 / 104));
        expect(outbox.send(makeFrame(100, 999), "bulk")).toBe(false);
        expect(outbox.send(makeFrame(12, sent), "control"), "the other lane has room").toBe(true);
        const received = await mailboxes.receive(sent + 1);
        expect(isSame(received.shift()!.frame, makeFrame(12, sent))).toBe(true);
        for (const [number, { frame }] of received.entries()) {
          expect(isSame(frame, makeFrame(100, number))).toBe(true);
        }
        expect(outbox.send(makeFrame(100, 0), "bulk")).toBe(true);
      });

      it("takes one oversized frame over and feeds it as room appears", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        const before = makeFrame(1000, 1);
        const oversized = makeFrame(20_000, 2);
        const after = makeFrame(10, 3);
        expect(outbox.send(before, "bulk")).toBe(true);
        expect(outbox.send(oversized, "bulk")).toBe(true);
        expect(outbox.send(after, "bulk")).toBe(false);
        expect(outbox.send(after, "control"), "the other lane goes on").toBe(true);
        expect(outbox.flush()).toBe(false);
        expect(outbox.flush()).toBe(false);
        const received = await mailboxes.receive(3);
        expect(received.map(({ frame }) => frame.length)).toEqual([10, 1000, 20_000]);
        expect(isSame(received[2]!.frame, oversized)).toBe(true);
        expect(outbox.flush()).toBe(true);
        expect(outbox.send(after, "bulk")).toBe(true);
      });
    });

    describe("senders", () => {
      it("are received from when their frames were there before they were attached", async () => {
        const mailboxes = mailboxesOf();
        const { outbox, receiving } = mailboxes.connect("late", { attached: false });
        outbox.send(textFrame("early"), "bulk");
        outbox.flush();
        expect(mailboxes.inbox.receive(() => {}, 10)).toBe(0);
        mailboxes.inbox.attach("late", receiving);
        expect(texts(await mailboxes.receive(1))).toEqual(["early"]);
      });

      itIf(canParkHere, "wake the sleeper when they are attached with frames", async () => {
        const mailboxes = mailboxesOf();
        const { outbox, receiving } = mailboxes.connect("late", { attached: false });
        outbox.send(textFrame("early"), "bulk");
        outbox.flush();
        const parked = mailboxes.inbox.park(1000);
        mailboxes.inbox.attach("late", receiving);
        await parked;
        expect(texts(await mailboxes.receive(1))).toEqual(["early"]);
        expect(mailboxes.inbox.counters.lostWakeUps).toBe(0);
      });

      it("are not received from once they are detached", async () => {
        const mailboxes = mailboxesOf();
        const gone = mailboxes.connect("gone").outbox;
        const stays = mailboxes.connect("stays").outbox;
        for (const outbox of [gone, stays]) {
          outbox.send(textFrame("frame"), "bulk");
          outbox.flush();
        }
        await mailboxes.arrived(2 * "frame".length);
        mailboxes.inbox.detach("gone");
        mailboxes.inbox.detach("never known");
        const received = await mailboxes.receive(1);
        expect(received.map(({ from }) => from)).toEqual(["stays"]);
        expect(mailboxes.inbox.receive(() => {}, 10)).toBe(0);
      });

      it("may be attached and detached by a handler", async () => {
        const mailboxes = mailboxesOf();
        const senders = ["a", "b", "c"].map(sender => mailboxes.connect(sender).outbox);
        for (const outbox of senders) {
          for (const text of ["1", "2"]) outbox.send(textFrame(text), "bulk");
          outbox.flush();
        }
        const { outbox, receiving } = mailboxes.connect("late", { attached: false });
        outbox.send(textFrame("1"), "bulk");
        outbox.flush();
        await mailboxes.arrived(6);
        const from: string[] = [];
        const handler = (sender: string) => {
          from.push(sender);
          if (from.length !== 1) return;
          mailboxes.inbox.detach("b");
          mailboxes.inbox.attach("late", receiving);
        };
        while (from.length < 5)
          if (mailboxes.inbox.receive(handler, 10) === 0) await mailboxes.inbox.park(100);
        expect(from.sort()).toEqual(["a", "a", "c", "c", "late"]);
      });

      it("are replaced by another end of the same name", async () => {
        const mailboxes = mailboxesOf();
        mailboxes.connect("a");
        const { outbox } = mailboxes.connect("a");
        outbox.send(textFrame("anew"), "bulk");
        outbox.flush();
        expect(await mailboxes.receive(1)).toMatchObject([{ from: "a" }]);
      });
    });

    describe("parking", () => {
      it("returns at once when there is a frame", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        outbox.send(textFrame("frame"), "bulk");
        outbox.flush();
        await mailboxes.arrived(1);
        await mailboxes.inbox.park(Number.POSITIVE_INFINITY);
        expect(mailboxes.inbox.counters).toMatchObject({ wakeUps: 0, lostWakeUps: 0 });
      });

      it("returns for a ring that came before it", async () => {
        const mailboxes = mailboxesOf();
        ringDoorbell(mailboxes.doorbell);
        await mailboxes.inbox.park(Number.POSITIVE_INFINITY);
        expect(mailboxes.inbox.counters).toMatchObject({ calls: 1, wakeUps: 0, lostWakeUps: 0 });
      });

      itIf(!canParkHere, "ends when time runs out", () => {
        const mailboxes = mailboxesOf();
        mailboxes.connect("a");
        expect(mailboxes.inbox.park(1)).toBeUndefined();
        expect(mailboxes.inbox.counters).toMatchObject({ wakeUps: 0, lostWakeUps: 0 });
      });

      itIf(canParkHere, "ends with a frame, a ring, and the next frame", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        const first = mailboxes.inbox.park(0);
        expect(mailboxes.inbox.park(0), "one wait at most").toBe(first);
        outbox.send(textFrame("first"), "bulk");
        outbox.flush();
        await first;
        expect(texts(await mailboxes.receive(1))).toEqual(["first"]);
        const second = mailboxes.inbox.park(0);
        ringDoorbell(mailboxes.doorbell);
        await second;
        expect(mailboxes.inbox.receive(() => {}, 1)).toBe(0);
        const third = mailboxes.inbox.park(0);
        outbox.send(textFrame("second"), "control");
        outbox.flush();
        await third;
        expect(texts(await mailboxes.receive(1))).toEqual(["second"]);
        expect(mailboxes.inbox.counters).toMatchObject({ wakeUps: 3, calls: 1, lostWakeUps: 0 });
      });

      itIf(canParkHere, "allows for frames that are received on a tick meanwhile", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        for (let round = 0; round < 50; round++) {
          const parked = mailboxes.inbox.park(0);
          outbox.send(textFrame("frame"), "bulk");
          outbox.flush();
          await mailboxes.arrived(1);
          expect(mailboxes.inbox.receive(() => {}, 10)).toBe(1);
          await parked;
        }
        expect(mailboxes.inbox.counters.lostWakeUps).toBe(0);
      });

      it("ends with close, and so does receiving", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        const parked = canParkHere ? mailboxes.inbox.park(Number.POSITIVE_INFINITY) : undefined;
        mailboxes.inbox.close();
        mailboxes.inbox.close();
        await parked;
        await mailboxes.inbox.park(Number.POSITIVE_INFINITY);
        outbox.send(textFrame("too late"), "bulk");
        outbox.flush();
        expect(mailboxes.inbox.receive(() => {}, 10)).toBe(0);
        outbox.close();
        expect(outbox.send(textFrame("never"), "bulk")).toBe(false);
        expect(outbox.flush()).toBe(true);
      });

      it("an outbox that closes publishes what it has taken", async () => {
        const mailboxes = mailboxesOf();
        const { outbox } = mailboxes.connect("a");
        outbox.send(textFrame("last words"), "bulk");
        outbox.close();
        expect(texts(await mailboxes.receive(1))).toEqual(["last words"]);
      });
    });

    it("does what a list of frames per lane would do", async () => {
      await checkAgainstModel(mailboxesOf, isBounded);
    });
  });
}

type Step =
  | { readonly do: "send"; readonly sender: number; readonly lane: LaneKind; readonly length: number }
  | { readonly do: "flush"; readonly sender: number }
  | { readonly do: "receive"; readonly framesMax: number };

const senders = ["a", "b", "c"];
const sender = fc.nat({ max: senders.length - 1 });
const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 80 }) },
  { weight: 2, arbitrary: fc.nat({ max: 700 }) },
  { weight: 1, arbitrary: fc.nat({ max: 6000 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("send"), sender, lane: fc.constantFrom(...laneKinds), length }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("flush"), sender }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("receive"), framesMax: fc.integer({ min: 1, max: 12 }) }),
  },
);

/** Random steps; fast-check prints the seed and the shortest steps that fail. Replay with SYNOD_SEED. */
async function checkAgainstModel(
  mailboxesOf: (capacities: { controlBytes: number; bulkBytes: number }) => Mailboxes,
  isBounded: boolean,
): Promise<void> {
  const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 2 ** 31);
  const run = async (steps: readonly Step[]) => {
    const mailboxes = mailboxesOf({ controlBytes: 256, bulkBytes: 1024 });
    for (const name of senders) mailboxes.connect(name);
    const unreceived = new Map<string, Uint8Array[]>();
    let accepted = 0;
    let received = 0;
    // The lane's name travels in the last byte, which makes frames of the two lanes of a sender distinct.
    const take = (from: string, frame: Uint8Array) => {
      const lane = frame[frame.length - 1] === 1 ? "control" : "bulk";
      const expected = unreceived.get(from + lane)?.shift();
      expect(expected !== undefined && isSame(frame, expected), `${lane} frame from ${from}`).toBe(true);
      received++;
    };
    for (const current of steps) {
      if (current.do === "receive") {
        mailboxes.inbox.receive(take, current.framesMax);
        continue;
      }
      const name = senders[current.sender]!;
      const outbox = mailboxes.outboxes.get(name)!;
      if (current.do === "flush") {
        outbox.flush();
        continue;
      }
      const { lane } = current;
      const frame = makeFrame(current.length + 1, accepted);
      frame[frame.length - 1] = lane === "control" ? 1 : 0;
      const queue = unreceived.get(name + lane) ?? [];
      unreceived.set(name + lane, queue);
      const isAccepted = outbox.send(frame, lane);
      if (queue.length === 0) expect(isAccepted, "an empty lane takes any frame").toBe(true);
      if (!isBounded) expect(isAccepted).toBe(true);
      if (!isAccepted) continue;
      queue.push(frame);
      accepted++;
    }
    for (const { from, frame } of await mailboxes.receive(accepted - received)) take(from, frame);
    expect(received).toBe(accepted);
    for (const queue of unreceived.values()) expect(queue).toEqual([]);
    expect(mailboxes.inbox.depthBytes()).toBe(0);
    expect(mailboxes.inbox.receive(take, 10)).toBe(0);
    mailboxes.close();
  };
  const steps = fc.array(step, { maxLength: 120, size: "max" });
  await fc.assert(fc.asyncProperty(steps, run), { seed, numRuns: 150 });
}
