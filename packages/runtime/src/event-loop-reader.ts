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

/** Reads a mailbox on an event loop, and gives the loop its turns however much comes. */
export class EventLoopReader {
  readonly #inbox: Inbox;
  readonly #recipient: Recipient;
  /** When the event loop last had a turn, as far as is known. */
  #turnedAtMs = 0;
  /** When there last was a frame. */
  heardAtMs = 0;

  readonly #turnMs: number;
  readonly #frames: number;

  /** Reads for about `turnMs` milliseconds at a time, and looks at the clock after so many frames. */
  constructor(
    inbox: Inbox,
    recipient: Recipient,
    { turnMs, frames } = {
      turnMs: runtimeLimits.eventLoopTurnMs as number,
      frames: runtimeLimits.framesPerTurn as number,
    },
  ) {
    this.#inbox = inbox;
    this.#recipient = recipient;
    this.#turnMs = turnMs;
    this.#frames = frames;
  }

  /** Takes what has come until there is nothing, then sleeps until the doorbell rings; and so on. */
  readonly listen = (): void => {
    if (!this.#recipient.isOpen()) return;
    this.#receive(this.#isTurnDue);
    // An inbox that is never empty never sleeps: its promises alone would keep the event loop waiting for ever.
    if (this.#isTurnDue()) setImmediate(this.#listenAfterTurn);
    else void this.#inbox.park(Number.POSITIVE_INFINITY)?.then(this.listen);
  };

  /** Takes all that is there now, however much comes meanwhile. */
  receiveWaiting(): void {
    const { counters } = this.#inbox;
    const bytes = counters.bytes + this.#inbox.depthBytes();
    this.#receive(() => counters.bytes >= bytes);
  }

  readonly #listenAfterTurn = (): void => {
    this.#turnedAtMs = monotonicMs();
    this.listen();
  };

  readonly #isTurnDue = (): boolean => monotonicMs() - this.#turnedAtMs >= this.#turnMs;

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
