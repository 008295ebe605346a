/** How the inboxes of one thread wait: together, behind one doorbell, whichever of them a frame comes for. */
import { type Awakening, type Doorbell, EventLoopSleeper, ThreadSleeper } from "./doorbell.js";
import type { InboxCounters } from "./mailbox.js";

/** An inbox, as far as waiting goes. */
export interface ParkingInbox {
  readonly counters: InboxCounters;
  hasFrames(): boolean;
  /** Frames wait whose sender has finished its flush, ring included. Always false where that is not known. */
  hasSettledFrames(): boolean;
}

/** The sleeper behind a doorbell, for one inbox or several that the same thread reads. */
export class Parking {
  readonly #sleeper: ThreadSleeper | EventLoopSleeper;
  #inboxes: readonly ParkingInbox[] = [];
  readonly #hasFrames = (): boolean => {
    for (const inbox of this.#inboxes) if (inbox.hasFrames()) return true;
    return false;
  };
  readonly #countLostWakeUp = (): void => {
    // Whoever settled frames while the flag was up has rung first: in this order the two looks prove a loss.
    const inbox = this.#inboxes.find(parked => parked.hasSettledFrames());
    if (inbox === undefined || !this.#sleeper.isUnrung()) return;
    inbox.counters.lostWakeUps++;
    this.#sleeper.countLostWakeUp();
  };

  constructor(doorbell: Doorbell, waiting: "thread" | "event-loop") {
    this.#sleeper =
      waiting === "thread"
        ? new ThreadSleeper(doorbell)
        : new EventLoopSleeper(doorbell, awakening => this.#count(awakening));
  }

  add(inbox: ParkingInbox): void {
    this.#inboxes = [...this.#inboxes, inbox];
  }

  /** The last one to go ends the sleep for good. */
  remove(inbox: ParkingInbox): void {
    this.#inboxes = this.#inboxes.filter(other => other !== inbox);
    if (this.#inboxes.length === 0 && this.#sleeper instanceof EventLoopSleeper) this.#sleeper.close();
  }

  /** Sleeps until there is something for any of the inboxes: see `Inbox.park`. */
  park(timeoutMs: number, unhurried = 0): Promise<void> | undefined {
    const sleeper = this.#sleeper;
    if (sleeper instanceof EventLoopSleeper) return sleeper.sleep(this.#hasFrames);
    if (this.#inboxes.length > 0) {
      this.#count(sleeper.sleep(timeoutMs, unhurried, this.#hasFrames, this.#countLostWakeUp));
    }
    return undefined;
  }

  /** Changes when control lanes may have filled. */
  controlFlushes(): number {
    return this.#sleeper.controlFlushes();
  }

  /** Call before frames are taken: a wait that is still under way may hide a ring that nobody completed. */
  beforeReceive(): void {
    const sleeper = this.#sleeper;
    if (!(sleeper instanceof EventLoopSleeper) || !sleeper.isArmed) return;
    if (sleeper.isUnrung()) this.#countLostWakeUp();
    else sleeper.completeRing();
  }

  /** Call when frames may have been there before their lane was: they rang before anybody listened. */
  noticeFrames(): void {
    const sleeper = this.#sleeper;
    if (sleeper instanceof EventLoopSleeper && sleeper.isArmed && this.#hasFrames()) sleeper.ringSelf();
  }

  /** A frame has come by the event loop, without a ring. */
  wake(): void {
    if (this.#sleeper instanceof EventLoopSleeper) this.#sleeper.wake("rung");
  }

  #count(awakening: Awakening): void {
    const woken = this.#inboxes.find(inbox => inbox.hasFrames()) ?? this.#inboxes[0];
    if (woken === undefined) return;
    if (awakening === "rung") woken.counters.wakeUps++;
    woken.counters.calls += this.#sleeper.takeCalls();
  }
}
