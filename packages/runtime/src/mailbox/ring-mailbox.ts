/** Mailboxes over lanes in shared memory. */
import { type Awakening, type Doorbell, EventLoopSleeper, Ringer, ThreadSleeper } from "./doorbell.js";
import { LaneReader, LaneWriter } from "./lane.js";
import type { FrameHandler, Inbox, LaneKind, Outbox, ReceivingEnd, SendingEnd } from "./mailbox.js";
import { Senders } from "./rotation.js";

type RingSendingEnd = Extract<SendingEnd, { kind: "ring" }>;

export class RingOutbox implements Outbox {
  readonly #control: LaneWriter;
  readonly #bulk: LaneWriter;
  readonly #ringer: Ringer;
  #closed = false;

  constructor(end: RingSendingEnd, to: string) {
    this.#control = new LaneWriter(end.control, `control to ${to}`);
    this.#bulk = new LaneWriter(end.bulk, `bulk to ${to}`);
    this.#ringer = new Ringer(end.doorbell);
    this.flush(); // Rings for what a predecessor published and was killed before it could ring.
  }

  send(frame: Uint8Array, lane: LaneKind): boolean {
    if (this.#closed) return false;
    return lane === "bulk" ? this.#bulk.write(frame) : this.#control.write(frame);
  }

  flush(): boolean {
    if (this.#closed) return true;
    const control = this.#control;
    const bulk = this.#bulk;
    const hasControl = control.publish();
    const hasBulk = bulk.publish();
    if (hasControl) this.#ringer.announceControl();
    if (hasControl || hasBulk) this.#ringer.ringIfAsleep();
    if (hasControl) control.settle();
    if (hasBulk) bulk.settle();
    return !control.isFeeding && !bulk.isFeeding;
  }

  close(): void {
    this.flush();
    this.#closed = true;
  }
}

export class RingInbox implements Inbox {
  readonly #senders: Senders<LaneReader>;
  readonly #sleeper: ThreadSleeper | EventLoopSleeper;
  #closed = false;
  readonly #hasFrames = (): boolean => !this.#senders.isEmpty();
  readonly #countLostWakeUp = (): void => {
    // Whoever settled frames while the flag was up has rung first: in this order the two looks prove a loss.
    const hasSettledFrames = this.#senders.sources().some(lane => lane.hasSettledFrames());
    if (!hasSettledFrames || !this.#sleeper.isUnrung()) return;
    this.#senders.counters.lostWakeUps++;
    this.#sleeper.countLostWakeUp();
  };

  constructor(doorbell: Doorbell, waiting: "thread" | "event-loop") {
    this.#sleeper =
      waiting === "thread"
        ? new ThreadSleeper(doorbell)
        : new EventLoopSleeper(doorbell, awakening => this.#count(awakening));
    this.#senders = new Senders(() => this.#sleeper.controlFlushes());
  }

  get counters() {
    return this.#senders.counters;
  }

  receive(handler: FrameHandler, framesMax: number): number {
    const sleeper = this.#sleeper;
    if (sleeper instanceof EventLoopSleeper && sleeper.isArmed) {
      if (sleeper.isUnrung()) this.#countLostWakeUp();
      else sleeper.completeRing();
    }
    return this.#senders.receive(handler, framesMax);
  }

  park(timeoutMs: number): Promise<void> | undefined {
    const sleeper = this.#sleeper;
    if (sleeper instanceof EventLoopSleeper) return sleeper.sleep(this.#hasFrames);
    if (!this.#closed) this.#count(sleeper.sleep(timeoutMs, this.#hasFrames, this.#countLostWakeUp));
    return undefined;
  }

  attach(sender: string, end: ReceivingEnd): void {
    if (end.kind !== "ring") throw new TypeError(`a ring inbox cannot read the ${end.kind} of ${sender}`);
    if (this.#closed) return;
    const control = new LaneReader(end.control, `control from ${sender}`);
    const bulk = new LaneReader(end.bulk, `bulk from ${sender}`);
    this.#senders.set(sender, { control, bulk });
    const hasMissedRing = this.#sleeper instanceof EventLoopSleeper && this.#sleeper.isArmed;
    if (hasMissedRing && this.#hasFrames()) this.#sleeper.ringSelf();
  }

  detach(sender: string): void {
    this.#senders.delete(sender);
  }

  depthBytes(): number {
    return this.#senders.depthBytes();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const sender of this.#senders.names()) this.#senders.delete(sender);
    if (this.#sleeper instanceof EventLoopSleeper) this.#sleeper.close();
  }

  #count(awakening: Awakening): void {
    if (awakening === "rung") this.counters.wakeUps++;
    this.counters.calls += this.#sleeper.takeCalls();
  }
}
