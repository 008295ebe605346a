import {
  type AcceptedMessage,
  type Address,
  type Envelope,
  indexOf,
  type Message,
  type MessageType,
  type ResponseMessage,
} from "@synod/core";
import { encodeFrame } from "./frame-codec.js";
import { runtimeLimits } from "./limits.js";
import { type LaneKind, type Outbox, routine } from "./mailbox/index.js";
import type { StageStamps, StageTimes } from "./stage-times.js";
import { FrameRecorder, type SentFrame } from "./trace.js";
import { type DepthTracker, TrafficCounters } from "./traffic.js";

/**
 * Small messages that must not queue behind values. A Prepare is not among them: it must not overtake its own
 * proposer's Accepts, which would then be refused.
 */
const controlTypes: ReadonlySet<MessageType> = new Set<MessageType>([
  "notLeader",
  "refuse",
  "fetch",
  "trimmed",
  "progress",
  "sessionOpened",
  "sessionExpired",
  "sequenceGap",
  "heartbeat",
  "granted",
  "release",
  "read",
  "readReady",
  "sample",
  "standIn",
  "follow",
  "followed",
]);

/** A receiver, and what its address says. */
interface Receiver {
  readonly outbox: Outbox;
  readonly isProposer: boolean;
  /** Index of a learner; -1 for others. */
  readonly learner: number;
  /** Something was written that is not published. */
  isDirty: boolean;
}

/** Who expects nothing of a message is not woken for it. */
function routineOf(message: Message, { isProposer, learner }: Receiver): number {
  switch (message.type) {
    case "heartbeat":
      return routine.heartbeat;
    case "granted":
      return routine.granted;
    case "accepted":
      if (isProposer) return routine.vote;
      return learner < 0 || isToAnswer(message, learner) ? routine.none : routine.silent;
    default:
      return routine.none;
  }
}

/** A learner is to answer a client, or to tell other learners; without the values nobody knows. */
function isToAnswer({ batch, distinguished }: AcceptedMessage, learner: number): boolean {
  if (batch === null || distinguished >= 0) return true;
  for (const segment of batch.segments) {
    if ("answerer" in segment && segment.answerer === learner) return true;
  }
  return false;
}

/** Sends envelopes: encodes each message once, writes it to every receiver's lane, counts what was written. */
export class Post {
  readonly traffic = new TrafficCounters();
  readonly #receivers = new Map<Address, Receiver>();
  #dirty: Receiver[] = [];
  readonly #depths: DepthTracker | undefined;
  readonly #recorder: FrameRecorder | undefined;
  /** Called when a frame does not fit; the frame must be copied to be kept. */
  readonly #refused: (to: Address, frame: Uint8Array, lane: LaneKind) => void;
  /** Called when a receiver is not known; may add it. */
  readonly #unknown: (() => void) | undefined;
  readonly #stages: StageTimes | undefined;

  constructor(
    {
      depths,
      stages,
    }: { readonly depths?: DepthTracker | undefined; readonly stages?: StageTimes | undefined },
    refused?: (to: Address, frame: Uint8Array, lane: LaneKind) => void,
    unknown?: () => void,
  ) {
    this.#unknown = unknown;
    this.#stages = stages;
    this.#depths = depths;
    this.#recorder = depths && new FrameRecorder();
    this.#refused = refused ?? (() => undefined);
  }

  /** Adds a receiver, or replaces the end towards a known one: what was not sent there is lost. */
  add(to: Address, outbox: Outbox): void {
    this.remove(to);
    const isProposer = indexOf("proposer", to) >= 0;
    this.#receivers.set(to, { outbox, isProposer, learner: indexOf("learner", to), isDirty: false });
  }

  remove(to: Address): void {
    const receiver = this.#receivers.get(to);
    if (receiver === undefined) return;
    if (receiver.isDirty) this.#dirty = this.#dirty.filter(other => other !== receiver);
    this.#receivers.delete(to);
    receiver.outbox.close();
  }

  /** A receiver that is not known any more is a client that has left, unless it has just come. */
  send(envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      const depth = this.#depths?.sent(message);
      const frame = encodeInOne(message, depth ?? this.#stages?.sent(message));
      if (frame === undefined) {
        this.send(halvesOf(message as ResponseMessage).map(half => ({ to, message: half })));
        continue;
      }
      const traced = this.#recorder?.describe(message, depth ?? 0);
      const lane: LaneKind = controlTypes.has(message.type) ? "control" : "bulk";
      for (const address of to) {
        const receiver = this.#receiverOf(address);
        if (receiver === undefined) continue;
        if (!this.#write(receiver, frame, lane, routineOf(message, receiver))) {
          this.#refused(address, frame, lane);
          continue;
        }
        this.traffic.count(message.type, frame.byteLength);
        if (traced !== undefined) this.#recorder?.record(traced, address);
      }
    }
  }

  /** Writes an encoded frame; false when it does not fit now. */
  write(to: Address, frame: Uint8Array, lane: LaneKind): boolean {
    const receiver = this.#receivers.get(to);
    if (receiver === undefined || this.#write(receiver, frame, lane, routine.none)) return true;
    this.#refused(to, frame, lane);
    return false;
  }

  #receiverOf(address: Address): Receiver | undefined {
    const known = this.#receivers.get(address);
    if (known !== undefined || this.#unknown === undefined) return known;
    this.#unknown();
    return this.#receivers.get(address);
  }

  #write(receiver: Receiver, frame: Uint8Array, lane: LaneKind, kind: number): boolean {
    if (!receiver.isDirty) {
      receiver.isDirty = true;
      this.#dirty.push(receiver);
    }
    if (receiver.outbox.send(frame, lane, kind)) return true;
    this.traffic.dropped += 1;
    return false;
  }

  /** What was sent, in traced runs: an inspection's field, or none. */
  inspectTrace(): { readonly trace?: readonly SentFrame[] } {
    return this.#recorder === undefined ? {} : { trace: this.#recorder.read() };
  }

  /** Publishes what was written and wakes the receivers; false while an oversized frame is still being fed. */
  flush(): boolean {
    const dirty = this.#dirty;
    let left = 0;
    for (const receiver of dirty) {
      receiver.isDirty = !receiver.outbox.flush();
      if (receiver.isDirty) dirty[left++] = receiver;
    }
    dirty.length = left;
    return left === 0;
  }

  close(): void {
    for (const { outbox } of this.#receivers.values()) outbox.close();
    this.#receivers.clear();
    this.#dirty = [];
  }
}

/** Undefined for a Response that is too large for one frame and can be divided. */
function encodeInOne(message: Message, trailer: number | StageStamps | undefined): Uint8Array | undefined {
  if (message.type !== "response" || message.results.length < 2) return encodeFrame(message, trailer);
  try {
    const frame = encodeFrame(message, trailer);
    return frame.byteLength > runtimeLimits.responseBytesMax ? undefined : frame;
  } catch (error) {
    // More than a buffer can hold.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function halvesOf(response: ResponseMessage): ResponseMessage[] {
  const { firstSequence, results } = response;
  const middle = results.length >> 1;
  return [
    { ...response, results: results.slice(0, middle) },
    { ...response, firstSequence: firstSequence + middle, results: results.slice(middle, results.length) },
  ];
}
