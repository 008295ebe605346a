import { afterEach, describe, expect, it } from "vitest";
import type { InboxCounters } from "../../dist/mailbox/index.js";
import * as mailbox from "../../dist/mailbox/index.js";
import { plantBug } from "../planted-bug.js";
import { Thread } from "./threads.js";

const { createConnection, createDoorbell, ringDoorbell, transferListOf } = mailbox;
const capacities = { controlBytes: 1024, bulkBytes: 4096, startAt: 2 ** 31 - 4096 };

interface Drained {
  readonly lives: readonly { readonly life: number; readonly first: number; readonly last: number }[];
  readonly counters: InboxCounters;
}

let threads: { kill(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thread of threads) await thread.kill();
  threads = [];
});
function start<Result>(...parameters: ConstructorParameters<typeof Thread<Result>>): Thread<Result> {
  const thread = new Thread<Result>(...parameters);
  threads.push(thread);
  return thread;
}

/** Many more than a bug that shows once in a while has been seen to need. */
const burstsMax = 1_000_000;

type Waiting = "thread" | "event-loop";

/** Two threads that wake each other; each returns the counters of its inbox. */
function startPingPong(waiting: readonly [Waiting, Waiting], bursts: number, mailboxUrl?: string) {
  const over = new Int32Array(new SharedArrayBuffer(4));
  const doorbells = [createDoorbell(), createDoorbell()] as const;
  const there = createConnection("ring", doorbells[1], capacities);
  const back = createConnection("ring", doorbells[0], capacities);
  const begins = { sending: there.sending, receiving: back.receiving, doorbell: doorbells[0], begins: true };
  const answers = {
    sending: back.sending,
    receiving: there.receiving,
    doorbell: doorbells[1],
    begins: false,
  };
  return [
    start<InboxCounters>("pingPong", { ...begins, waiting: waiting[0], bursts, over }, mailboxUrl),
    start<InboxCounters>("pingPong", { ...answers, waiting: waiting[1], bursts, over }, mailboxUrl),
  ];
}

/** A lane between two threads that are killed and started again. */
class Stream {
  readonly #doorbell = createDoorbell();
  readonly #connection = createConnection("ring", this.#doorbell, capacities);
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #ending = new Int32Array(new SharedArrayBuffer(4));
  readonly #mailboxUrl: string | undefined;
  #life = 0;

  constructor(mailboxUrl?: string) {
    this.#mailboxUrl = mailboxUrl;
  }

  startSender(): Thread<{ sent: number }> {
    const options = { sending: this.#connection.sending, life: this.#life++, stop: this.#stop };
    return start("stream", options, this.#mailboxUrl);
  }

  startReceiver(): Thread<Drained> {
    const options = { receiving: this.#connection.receiving, doorbell: this.#doorbell, ending: this.#ending };
    return start("drain", options, this.#mailboxUrl);
  }

  /** Ends both; returns how many frames the last sender sent and what the last receiver received. */
  async end(sender: Thread<{ sent: number }>, receiver: Thread<Drained>) {
    Atomics.store(this.#stop, 0, 1);
    const { sent } = await sender.result;
    Atomics.store(this.#ending, 0, 1);
    ringDoorbell(this.#doorbell);
    return { sent, ...(await receiver.result) };
  }
}

describe("no wake-up is lost between", () => {
  it.each([
    ["thread", "thread"],
    ["event-loop", "thread"],
    ["event-loop", "event-loop"],
  ] as const)("a sleeper on the %s and one on the %s", async (first, second) => {
    const bursts = 10_000;
    const counters = await Promise.all(startPingPong([first, second], bursts).map(({ result }) => result));
    const frames = bursts * 3;
    expect(counters).toMatchObject([
      { frames, lostWakeUps: 0 },
      { frames, lostWakeUps: 0 },
    ]);
    for (const { wakeUps } of counters) expect(wakeUps).toBeGreaterThan(0);
  });
});

describe("a lane outlives", () => {
  it("its senders", async () => {
    const stream = new Stream();
    const receiver = stream.startReceiver();
    let sender = stream.startSender();
    const kills = 12;
    for (let kill = 0; kill < kills; kill++) {
      await receiver.progress(1);
      await sender.kill();
      sender = stream.startSender();
    }
    await receiver.progress(1);
    const { sent, lives, counters } = await stream.end(sender, receiver);
    expect(lives.map(({ first }) => first).every(first => first === 0)).toBe(true);
    expect(lives.at(-1)).toEqual({ life: kills, first: 0, last: sent - 1 });
    expect(counters.lostWakeUps).toBe(0);
  });

  it("its receivers", async () => {
    const stream = new Stream();
    let receiver = stream.startReceiver();
    const sender = stream.startSender();
    for (let kill = 0; kill < 12; kill++) {
      await receiver.progress(1);
      await receiver.kill();
      receiver = stream.startReceiver();
    }
    await receiver.progress(1);
    const { sent, lives, counters } = await stream.end(sender, receiver);
    expect(lives).toHaveLength(1);
    expect(lives[0]).toMatchObject({ life: 0, last: sent - 1 });
    expect(counters.lostWakeUps).toBe(0);
  });
});

describe("a sleeper keeps nothing alive", () => {
  it.each(["ring", "port"] as const)("on a %s", async kind => {
    const doorbell = createDoorbell();
    const { receiving } = createConnection(kind, doorbell, capacities);
    const thread = start<string>(
      "abandon",
      { kind, receiving, doorbell },
      undefined,
      transferListOf(receiving),
    );
    expect(await thread.result).toBe("parked");
    await thread.exit;
  });
});

describe("a planted bug is caught", () => {
  it("tail published before the bytes", async () => {
    const stream = new Stream(
      await plantBug("mailbox", {
        file: "lane.ts",
        find: "    this.words[this.wordAt(this.#tail)] = frame.length;\n",
        replace:
          "    Atomics.store(this.words, TAIL, (this.#tail + entryBytes) | 0);\n" +
          "    this.words[this.wordAt(this.#tail)] = frame.length;\n",
      }),
    );
    const receiver = stream.startReceiver();
    stream.startSender();
    await expect(receiver.result).rejects.toThrow();
  }, 180_000);

  it.each([
    {
      bug: "sleep without looking again",
      find: "if (!hasFrames() && !this.hasCalls())",
      replace: "if (!this.hasCalls())",
    },
    {
      bug: "the waker clears the sleep flag",
      find: "    Atomics.notify(this.#words, RINGS);\n",
      replace: "    Atomics.notify(this.#words, RINGS);\n    Atomics.store(this.#words, ASLEEP, AWAKE);\n",
    },
  ])("$bug, by threads that wake each other", async ({ find, replace }) => {
    const mailboxUrl = await plantBug("mailbox", { file: "doorbell.ts", find, replace });
    const ends = startPingPong(["thread", "thread"], burstsMax, mailboxUrl);
    const counters = await Promise.all(ends.map(({ result }) => result));
    expect(counters.map(({ lostWakeUps }) => lostWakeUps)).toContain(1);
  });

  // A frame that was published while the receiver was awake rang no bell: only the second look can find it.
  it.each(["thread", "event-loop"] as const)("sleep without looking again, on the %s", async waiting => {
    const mailboxUrl = await plantBug(
      "mailbox",
      waiting === "thread"
        ? {
            file: "doorbell.ts",
            find: "if (!hasFrames() && !this.hasCalls())",
            replace: "if (!this.hasCalls())",
          }
        : { file: "doorbell.ts", find: "if (hasFrames() || this.hasCalls()", replace: "if (this.hasCalls()" },
    );
    expect(await lostWakeUps(waiting, mailbox)).toBe(0);
    expect(await lostWakeUps(waiting, await import(mailboxUrl))).toBe(1);
  });
});

/** Parks on a frame that is there already; on the event loop a look while asleep takes the place of a time-out. */
async function lostWakeUps(waiting: Waiting, { openInbox, openOutbox }: typeof mailbox) {
  const doorbell = createDoorbell();
  const { sending, receiving } = createConnection("ring", doorbell, capacities);
  const inbox = openInbox({ kind: "ring", doorbell, waiting, lanes: [["sender", receiving]] });
  const outbox = openOutbox(sending);
  outbox.send(new Uint8Array(8), "bulk");
  outbox.flush();
  const parked = inbox.park(50);
  inbox.receive(() => undefined, 1);
  inbox.close();
  await parked;
  return inbox.counters.lostWakeUps;
}
