import { monotonicMs } from "./clock.js";
import { runtimeLimits } from "./limits.js";
import type { FrameHandler, Inbox } from "./mailbox/index.js";

/** Whose mailbox is read. */
export interface Recipient {
  /** Asked before every look into the mailbox; nothing is read any more once it is false. */
  isOpen(): boolean;
  readonly onFrame: FrameHandler;
  /** Some frames were handed over. More may be there. */
  onFrames(): void;
  /** The mailbox is empty, or the event loop is to have a turn: send what came of the frames. */
  onPause(): void;
}

/** How much of the event loop a reader may take. */
export interface ReaderTurn {
  /** All reading happens in it. */
  within(work: () => void): void;
  /** The event loop is to have a turn. */
  readonly isOver: boolean;
  nextTurn(fn: () => void): void;
}

/** Reads a mailbox on an event loop, and gives the loop its turns however much comes. */
export class EventLoopReader {
  readonly #inbox: Inbox;
  readonly #recipient: Recipient;
  readonly #turn: ReaderTurn;
  readonly #frames: number;
  /** When there last was a frame. */
  heardAtMs = 0;

  /** Reads until the turn is over, which it looks at after so many frames. */
  constructor(
    inbox: Inbox,
    recipient: Recipient,
    turn: ReaderTurn = new LoopTurn(runtimeLimits.eventLoopTurnMs),
    frames: number = runtimeLimits.framesPerTurn,
  ) {
    this.#inbox = inbox;
    this.#recipient = recipient;
    this.#turn = turn;
    this.#frames = frames;
  }

  /** Takes what has come until there is nothing, then sleeps until the doorbell rings; and so on. */
  readonly listen = (): void => {
    if (!this.#recipient.isOpen()) return;
    this.#turn.within(this.#receiveForATurn);
    // An inbox that is never empty never sleeps: its promises alone would keep the event loop waiting for ever.
    if (this.#turn.isOver) this.#turn.nextTurn(this.listen);
    else void this.#inbox.park(Number.POSITIVE_INFINITY)?.then(this.listen);
  };

  /** Takes all that is there now, however much comes meanwhile. */
  receiveWaiting(): void {
    const end = this.#endOfWaiting();
    this.#receive(() => this.#inbox.counters.bytes >= end);
  }

  /** The same with as many turns of the event loop as it takes, then calls `onRead`, if the recipient is open still. */
  receiveWaitingInTurns(onRead: () => void): void {
    const end = this.#endOfWaiting();
    const isRead = () => this.#inbox.counters.bytes >= end || this.#inbox.depthBytes() === 0;
    const read = () => {
      if (!this.#recipient.isOpen()) return;
      this.#turn.within(() => this.#receive(() => isRead() || this.#turn.isOver));
      if (!this.#recipient.isOpen()) return;
      if (isRead()) onRead();
      else this.#turn.nextTurn(read);
    };
    read();
  }

  /** What waits ends at so many bytes of all that was ever received. */
  #endOfWaiting(): number {
    return this.#inbox.counters.bytes + this.#inbox.depthBytes();
  }

  readonly #receiveForATurn = (): void => this.#receive(() => this.#turn.isOver);

  #receive(isEnough: () => boolean): void {
    while (this.#inbox.receive(this.#recipient.onFrame, this.#frames) > 0) {
      this.heardAtMs = monotonicMs();
      this.#recipient.onFrames();
      if (!this.#recipient.isOpen()) return;
      if (isEnough()) break;
    }
    this.#recipient.onPause();
  }
}

/** Turns of so many milliseconds, by the clock: for who has the thread as good as alone. */
class LoopTurn implements ReaderTurn {
  readonly #turnMs: number;
  /** When the event loop last had a turn, as far as is known. */
  #turnedAtMs = 0;

  constructor(turnMs: number) {
    this.#turnMs = turnMs;
  }

  within(work: () => void): void {
    work();
  }

  get isOver(): boolean {
    return monotonicMs() - this.#turnedAtMs >= this.#turnMs;
  }

  nextTurn(fn: () => void): void {
    setImmediate(() => {
      this.#turnedAtMs = monotonicMs();
      fn();
    });
  }
}
