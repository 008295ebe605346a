/** Mailboxes over lanes in shared memory. */
import { Ringer } from "./doorbell.js";
import { LaneReader, LaneWriter } from "./lane.js";
import type { FrameHandler, Inbox, LaneKind, Outbox, ReceivingEnd, SendingEnd } from "./mailbox.js";
import type { Parking, ParkingInbox } from "./parking.js";
import { Senders } from "./rotation.js";

/** Besides the bits of `routine`. */
const URGENT = 1;

/** A receiver sleeps through so much of a lane, and no more: values also keep acceptors from trimming their logs. */
const controlPartMost = 1 / 2;
const bulkPartMost = 1 / 8;

type RingSendingEnd = Extract<SendingEnd, { kind: "ring" }>;

export class RingOutbox implements Outbox {
  readonly #control: LaneWriter;
  readonly #bulk: LaneWriter;
  readonly #ringer: Ringer;
  /** What the receiver has not been told of: kinds of routine, and `URGENT` for all else. */
  #untold = URGENT;
  #closed = false;

  constructor(end: RingSendingEnd, to: string) {
    this.#control = new LaneWriter(end.control, `control to ${to}`);
    this.#bulk = new LaneWriter(end.bulk, `bulk to ${to}`);
    this.#ringer = new Ringer(end.doorbell);
    this.flush(); // Rings for what a predecessor published and was killed before it could ring.
    this.#untold = 0;
  }

  send(frame: Uint8Array, lane: LaneKind, kind = URGENT): boolean {
    if (this.#closed) return false;
    this.#untold |= kind === 0 ? URGENT : kind;
    return lane === "bulk" ? this.#bulk.write(frame) : this.#control.write(frame);
  }

  flush(): boolean {
    if (this.#closed) return true;
    const control = this.#control;
    const bulk = this.#bulk;
    // The next part of a frame that has been told of before.
    if (control.isFeeding || bulk.isFeeding) this.#untold |= URGENT;
    // What a receiver sleeps through must leave room for what it is in a hurry for.
    else if ((this.#untold & URGENT) === 0 && this.#isFilled()) this.#untold |= URGENT;
    const hasControl = control.publish();
    const hasBulk = bulk.publish();
    if (hasControl) this.#ringer.announceControl();
    // What it was not told of is not settled: a sleep that ends by its time-out has then lost nothing.
    if ((hasControl || hasBulk) && this.#ringer.ringIfAsleep(this.#untold)) {
      this.#untold = 0;
      if (hasControl) control.settle();
      if (hasBulk) bulk.settle();
    }
    return !control.isFeeding && !bulk.isFeeding;
  }

  close(): void {
    this.flush();
    this.#closed = true;
  }

  #isFilled(): boolean {
    return this.#control.isFilled(controlPartMost) || this.#bulk.isFilled(bulkPartMost);
  }
}

export class RingInbox implements Inbox, ParkingInbox {
  readonly #senders: Senders<LaneReader>;
  readonly #parking: Parking;
  #closed = false;

  constructor(parking: Parking) {
    this.#parking = parking;
    this.#senders = new Senders(() => parking.controlFlushes());
    parking.add(this);
  }

  get counters() {
    return this.#senders.counters;
  }

  receive(handler: FrameHandler, framesMax: number): number {
    this.#parking.beforeReceive();
    return this.#senders.receive(handler, framesMax);
  }

  park(timeoutMs: number, unhurried = 0): Promise<void> | undefined {
    return this.#parking.park(timeoutMs, unhurried);
  }

  attach(sender: string, end: ReceivingEnd): void {
    if (end.kind !== "ring") throw new TypeError(`a ring inbox cannot read the ${end.kind} of ${sender}`);
    if (this.#closed) return;
    const control = new LaneReader(end.control, `control from ${sender}`);
    const bulk = new LaneReader(end.bulk, `bulk from ${sender}`);
    this.#senders.set(sender, { control, bulk });
    this.#parking.noticeFrames();
  }

  detach(sender: string): void {
    this.#senders.delete(sender);
  }

  hasFrames(): boolean {
    return !this.#senders.isEmpty();
  }

  hasSettledFrames(): boolean {
    return this.#senders.some(lane => lane.hasSettledFrames());
  }

  depthBytes(): number {
    return this.#senders.depthBytes();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const sender of this.#senders.names()) this.#senders.delete(sender);
    this.#parking.remove(this);
  }
}
