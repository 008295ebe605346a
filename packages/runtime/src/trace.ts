import { type Address, formatBallot, type Message, type MessageType } from "@synod/core";
import { monotonicMs } from "./clock.js";
import { runtimeLimits } from "./limits.js";

/** A frame that an actor or client of a traced run has sent; who sent it, its {@link Inspection} says. */
export interface SentFrame {
  /** When it was encoded, in milliseconds on the clock that all threads share: before its receiver could read it. */
  readonly atMs: number;
  readonly to: Address;
  readonly type: MessageType;
  /** `round.incarnation.proposer`; null for messages outside of any ballot. */
  readonly ballot: string | null;
  readonly firstInstance: number | null;
  /** How many instances, commands or results it is about; in a Promise, instances whose values it reports. */
  readonly count: number;
  /** Length of the chain of frames up to this one, counted from the leader's first for the instance; 0 outside. */
  readonly depth: number;
}

/** Keeps the latest frames that one actor or client has sent, in traced runs only. */
export class FrameRecorder {
  readonly #frames: SentFrame[] = [];

  /** What a message will be remembered as: call it before its receivers can see it, so that causes come first. */
  describe(message: Message, depth: number): Omit<SentFrame, "to"> {
    return {
      atMs: monotonicMs(),
      type: message.type,
      ballot: "ballot" in message ? formatBallot(message.ballot) : null,
      firstInstance: "firstInstance" in message ? message.firstInstance : null,
      count: countOf(message),
      depth,
    };
  }

  record(sent: Omit<SentFrame, "to">, to: Address): void {
    this.#frames.push({ ...sent, to });
    // Half at a time: dropping the oldest from an array moves all others.
    if (this.#frames.length >= 2 * runtimeLimits.tracedFrames) {
      this.#frames.splice(0, runtimeLimits.tracedFrames);
    }
  }

  /** In the order in which they were sent. */
  read(): SentFrame[] {
    return this.#frames.slice(-runtimeLimits.tracedFrames);
  }
}

function countOf(message: Message): number {
  const sum = (parts: readonly { readonly count: number }[]) =>
    parts.reduce((all, { count }) => all + count, 0);
  switch (message.type) {
    case "propose":
      return sum(message.segments);
    case "promise":
      return sum(message.accepted);
    case "accept":
      return message.batch.count;
    case "accepted":
    case "chosen":
      return message.count;
    case "response":
      return message.results.length;
    default:
      return 0;
  }
}
