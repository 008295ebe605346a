import type { Address, Envelope, Message, MessageType, ResponseMessage } from "@synod/core";
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

/** Said several times in each lease, by a leader and to it: they wake only who expects something of them. */
function routineOf(type: MessageType): number {
  if (type === "heartbeat") return routine.heartbeat;
  return type === "granted" ? routine.granted : routine.none;
}

/** Sends envelopes: encodes each message once, writes it to every receiver's lane, counts what was written. */
export class Post {
  readonly traffic = new TrafficCounters();
  readonly #outboxes = new Map<Address, Outbox>();
  readonly #dirty = new Set<Outbox>();
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
    this.#outboxes.set(to, outbox);
  }

  remove(to: Address): void {
    const outbox = this.#outboxes.get(to);
    if (outbox === undefined) return;
    this.#dirty.delete(outbox);
    this.#outboxes.delete(to);
    outbox.close();
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
      const kind = routineOf(message.type);
      for (const address of to) {
        if (!this.#outboxes.has(address)) this.#unknown?.();
        if (this.#outboxes.has(address) && this.write(address, frame, lane, kind)) {
          this.traffic.count(message.type, frame.byteLength);
          if (traced !== undefined) this.#recorder?.record(traced, address);
        }
      }
    }
  }

  /** Writes an encoded frame; false when it does not fit now. */
  write(to: Address, frame: Uint8Array, lane: LaneKind, kind: number = routine.none): boolean {
    const outbox = this.#outboxes.get(to);
    if (outbox === undefined) return true;
    this.#dirty.add(outbox);
    if (outbox.send(frame, lane, kind)) return true;
    this.traffic.dropped += 1;
    this.#refused(to, frame, lane);
    return false;
  }

  /** What was sent, in traced runs: an inspection's field, or none. */
  inspectTrace(): { readonly trace?: readonly SentFrame[] } {
    return this.#recorder === undefined ? {} : { trace: this.#recorder.read() };
  }

  /** Publishes what was written and wakes the receivers; false while an oversized frame is still being fed. */
  flush(): boolean {
    for (const outbox of this.#dirty) if (outbox.flush()) this.#dirty.delete(outbox);
    return this.#dirty.size === 0;
  }

  close(): void {
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
    this.#dirty.clear();
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
