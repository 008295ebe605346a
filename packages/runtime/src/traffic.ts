import type { Message, MessageType } from "@synod/core";
import { messageTypes, typeNumberOf } from "./frame-codec.js";
import { runtimeLimits } from "./limits.js";

/** Frames and framed bytes, by message type. */
export type Traffic = Record<MessageType, { frames: number; bytes: number }>;

/** Counts what one actor or client has sent. */
export class TrafficCounters {
  readonly #frames = new Float64Array(messageTypes.length);
  readonly #bytes = new Float64Array(messageTypes.length);
  /** Of all types together. */
  frames = 0;
  bytes = 0;
  dropped = 0;

  count(type: MessageType, bytes: number): void {
    const number = typeNumberOf(type);
    this.#frames[number] = (this.#frames[number] as number) + 1;
    this.#bytes[number] = (this.#bytes[number] as number) + bytes;
    this.frames += 1;
    this.bytes += bytes;
  }

  read(): Traffic {
    const entries = messageTypes.map(
      (type, number) => [type, { frames: this.#frames[number], bytes: this.#bytes[number] }] as const,
    );
    return Object.fromEntries(entries) as Traffic;
  }
}

/** Depths by instance, of the latest ones that were noted: at least {@link runtimeLimits.tracedInstances}. */
class LatestDepths {
  #latest = new Map<number, number>();
  #before = new Map<number, number>();

  get(instance: number): number {
    return this.#latest.get(instance) ?? this.#before.get(instance) ?? 0;
  }

  set(instance: number, depth: number): void {
    this.#latest.set(instance, depth);
    if (this.#latest.size < runtimeLimits.tracedInstances) return;
    this.#before = this.#latest;
    this.#latest = new Map();
  }
}

/**
 * Causal depths, in traced runs only: how long the chain of frames is that led to what is known of an instance.
 * The leader's first protocol message for it has depth 1; a client's frames do not count.
 */
export class DepthTracker {
  readonly #depths = new LatestDepths();
  /** Of Prepares alone: an Accept may be taken in the same turn, before the Promise leaves, but does not cause it. */
  readonly #prepareDepths = new LatestDepths();

  /** A frame has come: what is sent for its instances from now on is caused by it. */
  received(message: Message, depth: number): void {
    const range = instancesOf(message);
    if (range === undefined) return;
    if (message.type === "prepare") this.#prepareDepths.set(range.first, depth);
    for (let instance = range.first; instance < range.end; instance++) {
      this.#depths.set(instance, Math.max(this.#depths.get(instance), depth));
    }
  }

  /** The depth of a message that is sent now. */
  sent(message: Message): number {
    const range = instancesOf(message);
    if (range === undefined) return 0;
    if (message.type === "promise") return this.#prepareDepths.get(range.first) + 1;
    let depth = 0;
    for (let instance = range.first; instance < range.end; instance++) {
      depth = Math.max(depth, this.#depths.get(instance));
    }
    return depth + 1;
  }

  at(instance: number): number {
    return this.#depths.get(instance);
  }
}

/** The instances that a protocol message is about; a Prepare and a Promise are about the next one to be decided. */
function instancesOf(message: Message): { first: number; end: number } | undefined {
  switch (message.type) {
    case "prepare":
    case "promise":
      return { first: message.firstInstance, end: message.firstInstance + 1 };
    case "accept":
      return { first: message.firstInstance, end: message.firstInstance + message.batch.count };
    case "accepted":
    case "chosen":
      return { first: message.firstInstance, end: message.firstInstance + message.count };
    default:
      return undefined;
  }
}
