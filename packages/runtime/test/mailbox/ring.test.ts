import { afterEach, describe, expect, it } from "vitest";
import { ThreadSleeper } from "../../dist/mailbox/doorbell.js";
import {
  createConnection,
  createDoorbell,
  type Outbox,
  openInbox,
  openOutbox,
  routine,
} from "../../dist/mailbox/index.js";
import { LaneWriter } from "../../dist/mailbox/lane.js";
import { isSame, Mailboxes, makeFrame, textFrame, texts } from "./support.js";

/** Where a lane's counters and frames lie in its memory, in 32-bit words. */
const tailWord = 0;
const headWord = 32;
const firstWord = 64;
const capacities = { controlBytes: 1024, bulkBytes: 4096 };

let open: Mailboxes[] = [];
afterEach(() => {
  for (const mailboxes of open) mailboxes.close();
  open = [];
});
function mailboxesOf(waiting: "thread" | "event-loop" = "thread"): Mailboxes {
  const mailboxes = new Mailboxes({ kind: "ring", waiting });
  open.push(mailboxes);
  return mailboxes;
}

describe("publication", () => {
  it("is what makes frames visible", async () => {
    const mailboxes = mailboxesOf();
    const { outbox } = mailboxes.connect("a");
    outbox.send(textFrame("frame"), "bulk");
    expect(mailboxes.inbox.receive(() => {}, 10)).toBe(0);
    expect(texts(await mailboxes.receive(1))).toEqual(["frame"]);
  });

  it("of a control lane is noticed before the next bulk frame", () => {
    const mailboxes = mailboxesOf();
    const bulk = mailboxes.connect("bulk").outbox;
    const control = mailboxes.connect("control").outbox;
    for (let number = 0; number < 4; number++) bulk.send(textFrame(`${number}`), "bulk");
    bulk.flush();
    const received: string[] = [];
    mailboxes.inbox.receive((_, frame) => {
      received.push(new TextDecoder().decode(frame));
      if (received.length !== 2) return;
      control.send(textFrame("heartbeat"), "control");
      control.flush();
    }, 10);
    expect(received).toEqual(["0", "1", "heartbeat", "2", "3"]);
  });

  it("of a control frame is noticed between the parts of a huge one", async () => {
    const mailboxes = mailboxesOf();
    const huge = mailboxes.connect("huge").outbox;
    const control = mailboxes.connect("control").outbox;
    huge.send(makeFrame(100_000, 1), "bulk");
    huge.flush();
    mailboxes.inbox.receive(() => {}, 10);
    huge.flush();
    control.send(textFrame("heartbeat"), "control");
    control.flush();
    const received = await mailboxes.receive(2);
    expect(received.map(({ frame }) => frame.length)).toEqual(["heartbeat".length, 100_000]);
  });
});

describe("a sender that restarts on its lane", () => {
  it("goes on after the last published frame", async () => {
    const mailboxes = mailboxesOf();
    const first = mailboxes.connect("a").outbox;
    first.send(textFrame("published"), "bulk");
    first.flush();
    first.send(textFrame("never published"), "bulk");
    const second = mailboxes.restartSender("a");
    second.send(textFrame("after"), "bulk");
    expect(texts(await mailboxes.receive(2))).toEqual(["published", "after"]);
  });

  it.each(["an ordinary frame", "an oversized frame"])(
    "makes room for %s in place of half a frame",
    async next => {
      const mailboxes = mailboxesOf();
      const first = mailboxes.connect("a").outbox;
      first.send(makeFrame(50_000, 1), "bulk");
      first.flush();
      mailboxes.inbox.receive(() => {}, 10);
      first.flush();
      const second = mailboxes.restartSender("a");
      const length = next === "an ordinary frame" ? 10 : 30_000;
      // The lane may be full of the dead sender's parts, so that an ordinary frame has to wait.
      while (!second.send(makeFrame(length, 2), "bulk")) mailboxes.inbox.receive(() => {}, 10);
      const [received] = await mailboxes.receive(1);
      expect(received!.frame).toEqual(Buffer.from(makeFrame(length, 2)));
    },
  );

  it("rings for what its predecessor could not ring for", async () => {
    const mailboxes = mailboxesOf("event-loop");
    const ends = createConnection("ring", mailboxes.doorbell, capacities);
    mailboxes.inbox.attach("a", ends.receiving);
    const parked = mailboxes.inbox.park(0);
    if (ends.sending.kind !== "ring") throw new Error("not a ring");
    const killed = new LaneWriter(ends.sending.bulk, "killed");
    killed.write(textFrame("frame"));
    killed.publish();
    openOutbox(ends.sending);
    await parked;
    expect(texts(await mailboxes.receive(1))).toEqual(["frame"]);
    expect(mailboxes.inbox.counters.lostWakeUps).toBe(0);
  });
});

describe("a receiver that restarts on its lanes", () => {
  it("goes on after the last consumed frame", async () => {
    const mailboxes = mailboxesOf();
    const { outbox } = mailboxes.connect("a");
    for (const text of ["consumed", "left"]) outbox.send(textFrame(text), "bulk");
    await mailboxes.receive(1);
    mailboxes.restartReceiver();
    expect(texts(await mailboxes.receive(1))).toEqual(["left"]);
  });

  it("discards the parts of a frame whose beginning its predecessor consumed", async () => {
    const mailboxes = mailboxesOf();
    const { outbox } = mailboxes.connect("a");
    outbox.send(makeFrame(50_000, 1), "bulk");
    outbox.flush();
    mailboxes.inbox.receive(() => {}, 10);
    mailboxes.restartReceiver();
    while (!outbox.flush()) expect(mailboxes.inbox.receive(() => {}, 10)).toBe(0);
    while (!outbox.send(textFrame("next"), "bulk")) mailboxes.inbox.receive(() => {}, 10);
    expect(texts(await mailboxes.receive(1))).toEqual(["next"]);
  });

  it("clears the sleep flag that its predecessor left up, and drains before it waits", async () => {
    const mailboxes = mailboxesOf("event-loop");
    const { outbox } = mailboxes.connect("a");
    const abandoned = mailboxes.inbox;
    void abandoned.park(0);
    outbox.send(textFrame("frame"), "bulk");
    mailboxes.restartReceiver();
    outbox.flush();
    await mailboxes.inbox.park(0);
    expect(mailboxes.inbox.counters.wakeUps).toBe(0);
    expect(texts(await mailboxes.receive(1))).toEqual(["frame"]);
    abandoned.close();
  });
});

describe("a lost wake-up", () => {
  /** A sender of which every step is a call. */
  function silentSender() {
    const mailboxes = mailboxesOf("event-loop");
    const ends = createConnection("ring", mailboxes.doorbell, capacities);
    mailboxes.inbox.attach("a", ends.receiving);
    if (ends.sending.kind !== "ring") throw new Error("not a ring");
    return { inbox: mailboxes.inbox, lane: new LaneWriter(ends.sending.bulk, "silent") };
  }

  it("is counted when a sender has finished its flush without ringing for a sleeper", () => {
    const { inbox, lane } = silentSender();
    void inbox.park(0);
    lane.write(textFrame("frame"));
    lane.publish();
    lane.settle();
    expect(inbox.receive(() => {}, 10)).toBe(1);
    expect(inbox.counters.lostWakeUps).toBe(1);
  });

  it("is not a frame whose sender is about to ring", () => {
    const { inbox, lane } = silentSender();
    void inbox.park(0);
    lane.write(textFrame("frame"));
    lane.publish();
    expect(inbox.receive(() => {}, 10)).toBe(1);
    lane.settle();
    expect(inbox.receive(() => {}, 10)).toBe(0);
    expect(inbox.counters.lostWakeUps).toBe(0);
  });

  it("is not a frame that was there before the sleep", async () => {
    const { inbox, lane } = silentSender();
    lane.write(textFrame("frame"));
    lane.publish();
    lane.settle();
    await inbox.park(0);
    expect(inbox.receive(() => {}, 10)).toBe(1);
    expect(inbox.counters.lostWakeUps).toBe(0);
  });
});

describe("a sleeper that is not in a hurry", () => {
  /** A thread that would block is this one: what rings it is seen by the word that it would wait for. */
  function sleeping(unhurried: number) {
    const mailboxes = mailboxesOf("thread");
    const { outbox } = mailboxes.connect("a");
    const rings = () => Atomics.load(new Int32Array(mailboxes.doorbell.memory), 0) / 2;
    const rung: number[] = [];
    const whileAsleep = (send: (outbox: Outbox) => void): void => {
      const sleeper = new ThreadSleeper(mailboxes.doorbell);
      const before = rings();
      const look = (): boolean => {
        send(outbox);
        outbox.flush();
        rung.push(rings() - before);
        return true; // It does not block after all.
      };
      sleeper.sleep(0, unhurried, look, () => undefined);
    };
    return { mailboxes, rung, whileAsleep };
  }

  it("is woken for any other frame", () => {
    const { rung, whileAsleep } = sleeping(routine.heartbeat);
    whileAsleep(outbox => outbox.send(textFrame("news"), "bulk"));
    whileAsleep(outbox => outbox.send(textFrame("granted"), "control", routine.granted));
    whileAsleep(outbox => {
      outbox.send(textFrame("heartbeat"), "control", routine.heartbeat);
      outbox.send(textFrame("news"), "control");
    });
    expect(rung).toEqual([1, 1, 1]);
  });

  it("is woken for every part of a frame that does not fit", async () => {
    const { mailboxes, rung, whileAsleep } = sleeping(routine.heartbeat | routine.granted);
    const frame = makeFrame(5 * capacities.bulkBytes, 1);
    whileAsleep(outbox => outbox.send(frame, "bulk"));
    for (let parts = 1; parts < 20; parts++) {
      const frames: Uint8Array[] = [];
      mailboxes.inbox.receive((_, received) => frames.push(received.slice()), 1);
      if (frames.length > 0) {
        expect(isSame(frames[0]!, frame)).toBe(true);
        expect(parts).toBeGreaterThan(2);
        expect(rung).toEqual(rung.map(() => 1));
        return;
      }
      whileAsleep(() => undefined);
    }
    expect.unreachable("the frame never came");
  });

  it("reads what it was not woken for with the next frame, in order, and has lost nothing", async () => {
    const { mailboxes, rung, whileAsleep } = sleeping(routine.heartbeat | routine.granted);
    whileAsleep(outbox => outbox.send(textFrame("first"), "control", routine.heartbeat));
    whileAsleep(outbox => outbox.send(textFrame("second"), "control", routine.granted));
    expect(rung).toEqual([0, 0]);
    whileAsleep(outbox => outbox.send(textFrame("third"), "control"));
    expect(rung).toEqual([0, 0, 1]);
    expect(texts(await mailboxes.receive(3))).toEqual(["first", "second", "third"]);
    expect(mailboxes.inbox.counters.lostWakeUps).toBe(0);
  });

  it("is woken before what it sleeps through fills the lane, and then something else finds no room", () => {
    const { mailboxes, rung, whileAsleep } = sleeping(routine.heartbeat);
    const isRung = () => rung.at(-1) === 1;
    const taken: boolean[] = [];
    for (let frames = 0; frames < capacities.controlBytes && !isRung(); frames++) {
      whileAsleep(outbox => taken.push(outbox.send(textFrame("heartbeat"), "control", routine.heartbeat)));
    }
    expect(taken.length).toBeGreaterThan(10);
    expect(taken).toEqual(taken.map(() => true));
    whileAsleep(outbox => taken.push(outbox.send(textFrame("news"), "control")));
    expect(taken.at(-1)).toBe(true);
    expect(isRung()).toBe(true);
    // Once it has read, it is left alone again.
    mailboxes.inbox.receive(() => undefined, 1000);
    whileAsleep(outbox => outbox.send(textFrame("heartbeat"), "control", routine.heartbeat));
    expect(rung.at(-1)).toBe(0);
  });

  it("is woken when an eighth of the bulk lane is full of what it sleeps through", () => {
    const { mailboxes, rung, whileAsleep } = sleeping(routine.silent);
    const bytes = 100;
    for (let sent = 0; rung.at(-1) !== 1; sent += bytes) {
      expect(sent).toBeLessThan(capacities.bulkBytes / 8);
      whileAsleep(outbox => outbox.send(makeFrame(bytes, 1), "bulk", routine.silent));
    }
    expect(rung.length).toBeGreaterThan(capacities.bulkBytes / 8 / (bytes + 16));
    mailboxes.inbox.receive(() => undefined, 1000);
    whileAsleep(outbox => outbox.send(makeFrame(bytes, 1), "bulk", routine.silent));
    expect(rung.at(-1), "all of it was read").toBe(0);
  });

  it("does not count as lost what it slept through until its time was over", () => {
    const { mailboxes, whileAsleep } = sleeping(routine.heartbeat);
    whileAsleep(outbox => outbox.send(textFrame("heartbeat"), "control", routine.heartbeat));
    const [lane] = mailboxes.controlLanes();
    expect([lane?.isEmpty(), lane?.hasSettledFrames()]).toEqual([false, false]);
  });

  it("is told at once, without a ring, when it is awake", () => {
    const { mailboxes } = sleeping(0);
    const outbox = mailboxes.outboxes.get("a")!;
    outbox.send(textFrame("heartbeat"), "control", routine.heartbeat);
    outbox.flush();
    const [lane] = mailboxes.controlLanes();
    expect(lane?.hasSettledFrames()).toBe(true);
  });
});

describe("a ring that was not completed", () => {
  it("is completed by the sleeper's next look", async () => {
    const mailboxes = mailboxesOf("event-loop");
    const { outbox } = mailboxes.connect("a");
    const parked = mailboxes.inbox.park(0);
    // What a sender does that is killed between moving the word and notifying.
    Atomics.add(new Int32Array(mailboxes.doorbell.memory), 0, 2);
    outbox.send(textFrame("frame"), "bulk");
    outbox.flush();
    expect(mailboxes.inbox.receive(() => {}, 10)).toBe(1);
    await parked;
    expect(mailboxes.inbox.counters).toMatchObject({ wakeUps: 1, lostWakeUps: 0 });
  });
});

describe("a damaged lane is an assertion error that names it", () => {
  function damaged(word: number, value: number) {
    const doorbell = createDoorbell();
    const ends = createConnection("ring", doorbell, capacities);
    if (ends.receiving.kind !== "ring") throw new Error("not a ring");
    const inbox = openInbox({
      kind: "ring",
      doorbell,
      waiting: "thread",
      lanes: [["acceptor-1", ends.receiving]],
    });
    const outbox = openOutbox(ends.sending, "learner-0");
    outbox.send(makeFrame(100, 1), "bulk");
    outbox.flush();
    new Int32Array(ends.receiving.bulk)[word] = value;
    return { inbox, outbox, sending: ends.sending };
  }

  it.each([
    ["a length beyond what is published", firstWord, 101],
    ["a length beyond the lane", firstWord, 0x3fffffff],
    ["a first part of a frame beyond every limit", firstWord, 0x40000000 | 100],
    ["a tail that is too far", tailWord, 5000],
    ["a tail behind the head", tailWord, -4],
  ])("%s", (_, word, value) => {
    const { inbox } = damaged(word, value);
    const receive = () => inbox.receive(() => {}, 10);
    expect(receive).toThrow(expect.objectContaining({ name: "AssertionError" }));
    expect(receive).toThrow("bulk from acceptor-1");
  });

  it("a head beyond the tail", () => {
    const { outbox, sending } = damaged(headWord, 8000);
    expect(() => openOutbox(sending, "learner-0")).toThrow("bulk to learner-0");
    const fill = () => {
      while (outbox.send(makeFrame(100, 1), "bulk"));
    };
    expect(fill).toThrow("bulk to learner-0");
  });
});

describe("capacities", () => {
  it.each([0, 255, 128, 3000, 2 ** 31, Number.NaN])("refuses %d bytes", bulkBytes => {
    const create = () => createConnection("ring", createDoorbell(), { controlBytes: 1024, bulkBytes });
    expect(create).toThrow(RangeError);
  });

  it("refuses counters that would split a header", () => {
    const create = () => createConnection("ring", createDoorbell(), { ...capacities, startAt: 2 });
    expect(create).toThrow(RangeError);
  });
});

describe("ends of the wrong kind", () => {
  it("are refused", () => {
    const doorbell = createDoorbell();
    const ring = createConnection("ring", doorbell, capacities);
    const port = createConnection("port", doorbell, capacities);
    const rings = openInbox({ kind: "ring", doorbell, waiting: "thread" });
    const ports = openInbox({ kind: "port", doorbell, waiting: "event-loop" });
    expect(() => rings.attach("a", port.receiving)).toThrow(TypeError);
    expect(() => ports.attach("a", ring.receiving)).toThrow(TypeError);
    openOutbox(port.sending).close();
  });
});
