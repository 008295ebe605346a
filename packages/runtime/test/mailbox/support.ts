import { setImmediate as eventLoopTurn } from "node:timers/promises";
import {
  type Capacities,
  createConnection,
  createDoorbell,
  type Doorbell,
  type Inbox,
  type MailboxKind,
  type Outbox,
  openInbox,
  openOutbox,
  type ReceivingEnd,
  type SendingEnd,
} from "../../dist/mailbox/index.js";

import { LaneReader } from "../../dist/mailbox/lane.js";

/** What differs between the implementations that the contract is for. */
export interface Implementation {
  readonly kind: MailboxKind;
  readonly waiting: "thread" | "event-loop";
  /** Where the lanes' counters start. */
  readonly startAt?: number;
}

export interface Received {
  readonly from: string;
  readonly frame: Uint8Array;
}

/** Rounds that find nothing before a test gives up: a thread that blocks cannot be timed out by the test runner. */
const fruitlessRoundsMax = 1000;
const parkMs = 20;
const turnsMax = 100_000;

/** One receiver and its senders on this thread, so that a test decides what happens when. */
export class Mailboxes {
  readonly doorbell: Doorbell = createDoorbell();
  readonly outboxes = new Map<string, Outbox>();
  inbox: Inbox;
  readonly #ends = new Map<string, { sending: SendingEnd; receiving: ReceivingEnd }>();

  constructor(
    readonly implementation: Implementation,
    readonly capacities: Capacities = { controlBytes: 1024, bulkBytes: 4096 },
  ) {
    this.inbox = this.#openInbox();
  }

  /** Connects a sender whose end is opened; `attached: false` leaves the receiver's end to the test. */
  connect(sender: string, { attached = true } = {}): { outbox: Outbox; receiving: ReceivingEnd } {
    const { startAt } = this.implementation;
    const capacities = startAt === undefined ? this.capacities : { ...this.capacities, startAt };
    const ends = createConnection(this.implementation.kind, this.doorbell, capacities);
    const outbox = openOutbox(ends.sending, "receiver");
    this.#ends.set(sender, ends);
    this.outboxes.set(sender, outbox);
    if (attached) this.inbox.attach(sender, ends.receiving);
    return { outbox, receiving: ends.receiving };
  }

  /** Opens a sender's end anew, as a thread does that replaces a killed one. */
  restartSender(sender: string): Outbox {
    const outbox = openOutbox(this.#ends.get(sender)!.sending, "receiver");
    this.outboxes.set(sender, outbox);
    return outbox;
  }

  /** The control lanes of rings, seen by another reader. */
  controlLanes(): LaneReader[] {
    return [...this.#ends.values()].flatMap(({ receiving }) =>
      receiving.kind === "ring" ? [new LaneReader(receiving.control, "control")] : [],
    );
  }

  restartReceiver(): void {
    this.inbox = this.#openInbox();
    for (const [sender, { receiving }] of this.#ends) this.inbox.attach(sender, receiving);
  }

  /** Receives until `count` frames are there, feeding what the senders still have. */
  async receive(count: number, framesMax = 1000): Promise<Received[]> {
    const received: Received[] = [];
    let fruitlessRounds = 0;
    while (received.length < count) {
      const isFed = [...this.outboxes.values()].map(outbox => outbox.flush()).every(Boolean);
      const limit = Math.min(framesMax, count - received.length);
      const frames = this.inbox.receive((from, frame) => received.push({ from, frame }), limit);
      if (frames > 0) {
        fruitlessRounds = 0;
        continue;
      }
      if (++fruitlessRounds > fruitlessRoundsMax)
        throw new Error(`${received.length} of ${count} frames came`);
      if (isFed) await this.inbox.park(parkMs);
    }
    return received;
  }

  /** Gives the event loop turns until `isDone`. */
  async until(isDone: () => boolean): Promise<void> {
    for (let turns = 0; !isDone(); turns++) {
      if (turns > turnsMax) throw new Error("the event loop's turns changed nothing");
      await eventLoopTurn();
    }
  }

  /** Waits until this many bytes of frames have reached the receiver: at once for a ring. */
  async arrived(bytes: number): Promise<void> {
    await this.until(() => this.inbox.depthBytes() >= bytes);
  }

  close(): void {
    for (const outbox of this.outboxes.values()) outbox.close();
    this.inbox.close();
  }

  #openInbox(): Inbox {
    const { kind, waiting } = this.implementation;
    return openInbox({ kind, waiting, doorbell: this.doorbell });
  }
}

/** A frame whose every byte follows from its number. */
export function makeFrame(length: number, number: number): Uint8Array {
  const frame = new Uint8Array(length);
  for (let at = 0; at < length; at++) frame[at] = (number * 31 + at * 7 + (at >> 8)) & 0xff;
  return frame;
}

export function textFrame(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function texts(received: readonly Received[]): string[] {
  return received.map(({ frame }) => new TextDecoder().decode(frame));
}

/** Frames cost more than their bytes when they differ: compare them as buffers, not element by element. */
export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
