/**
 * Mailboxes: how the threads of one process exchange frames. A connection joins one sender to one receiver
 * and has two lanes, a small control lane that is drained first and a bulk lane. The supervisor creates
 * connections and doorbells, hands their ends to the threads, and each thread opens the ends that it was
 * given. Frames are opaque bytes here (docs/protocol.md 28-31).
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Doorbell } from "./doorbell.js";
import { createLane } from "./lane.js";
import { Parking } from "./parking.js";
import { PortInbox, PortOutbox } from "./port-mailbox.js";
import { RingInbox, RingOutbox } from "./ring-mailbox.js";

export type MailboxKind = "ring" | "port";
export type LaneKind = "control" | "bulk";

/**
 * Frames that nobody waits for most of the time: bits. A receiver that is not in a hurry for a kind is not woken for it,
 * and reads it when it wakes up for something else. `vote` is an Accepted to a proposer, `silent` one to a learner that
 * is not to answer anybody.
 */
export const routine = { none: 0, heartbeat: 2, granted: 4, vote: 8, silent: 16 } as const;

/** Sending end towards one receiver; used by one thread only. */
export interface Outbox {
  /**
   * Writes one frame, which may be of a kind of `routine`; false when it does not fit now: nothing was written, the
   * caller decides (actors drop and count, clients keep and retry). Never waits. Bytes are copied before it returns.
   *
   * A frame larger than half the lane is taken over and fed in parts by `flush`; until the last part is in, the
   * lane takes nothing else. A port has no back-pressure: it always takes, and its receiver's memory pays.
   * @throws RangeError for a frame larger than `FRAME_BYTES_MAX`.
   */
  send(frame: Uint8Array, lane: LaneKind, kind?: number): boolean;
  /**
   * Publishes what was sent since the last flush (one tail store per lane) and rings the receiver's doorbell if
   * it said that it sleeps and is not unhurried about all of it. Also goes on feeding an oversized frame. Returns
   * true when nothing is left to feed.
   */
  flush(): boolean;
  /** Flushes once and ends: later sends are refused. An oversized frame that is not all in is lost. */
  close(): void;
}

/** Takes one frame. `frame` is a private copy that may be kept for ever; its buffer may be a pooled one. */
export type FrameHandler = (from: string, frame: Uint8Array) => void;

export interface InboxCounters {
  /** Frames handed over, and their bytes without the lanes' own headers. */
  frames: number;
  bytes: number;
  /** Sleeps that a ring, or the arrival of a port's message, ended. */
  wakeUps: number;
  /** Rings without a frame (`ringDoorbell`) that `park` has returned for. */
  calls: number;
  /** Frames that a sender had flushed towards a sleeper without waking it (docs/protocol.md 30). 0, or a bug. */
  lostWakeUps: number;
}

/** Receiving end of one actor or client: many senders. */
export interface Inbox {
  /**
   * Hands over frames that are there, at most framesMax; returns how many. Fewer than framesMax means that every
   * lane was seen empty. Control lanes come first, and are looked at again before each bulk frame; within a kind
   * the senders take turns, a frame each. A handler that throws ends the call; its frame counts as received, the
   * others stay.
   */
  receive(handler: FrameHandler, framesMax: number): number;
  /**
   * Sleeps until a frame, a ring or the timeout (milliseconds); returns at once if there is something. Every
   * `ringDoorbell` makes the current park, or else the next one, return: a caller that then gives its event loop
   * a turn misses no control-plane message (`counters.calls` tells such a ring from a frame).
   *
   * A thread that blocks may name kinds of `routine` for which alone it need not be woken: a frame that is there
   * already keeps it from sleeping, one that comes while it sleeps may wait for the timeout, or until half of the
   * control lane is full, or an eighth of the bulk lane.
   *
   * A ring inbox in a thread blocks and returns undefined. The others return a promise that a frame, a ring or
   * `close` settles. They have no timer and keep no event loop alive: the caller owns a timer, and calls
   * `receive` on its tick.
   */
  park(timeoutMs: number, unhurried?: number): Promise<void> | undefined;
  /** Adds a sender while running, or replaces the end of a known one. Frames that wait there are received. */
  attach(sender: string, end: ReceivingEnd): void;
  /** Removes a sender. A ring's unread frames stay in its memory; a port is closed and its frames are gone. */
  detach(sender: string): void;
  /** Bytes that wait to be received, over all senders. */
  depthBytes(): number;
  readonly counters: Readonly<InboxCounters>;
  /** Settles a pending park. Later parks return at once and nothing is received any more. */
  close(): void;
}

/** What a sender's thread needs to open its end: structured-cloneable with `transferListOf` as transfer list. */
export type SendingEnd =
  | {
      readonly kind: "ring";
      readonly control: SharedArrayBuffer;
      readonly bulk: SharedArrayBuffer;
      readonly doorbell: Doorbell;
    }
  | { readonly kind: "port"; readonly port: MessagePort };

/** What a receiver's thread needs to open its end. A ring's end may be opened again after that thread died. */
export type ReceivingEnd =
  | { readonly kind: "ring"; readonly control: SharedArrayBuffer; readonly bulk: SharedArrayBuffer }
  | { readonly kind: "port"; readonly port: MessagePort };

export interface Capacities {
  /** Bytes of a lane, headers of frames included: powers of two, at most `LANE_BYTES_MAX`. Ports ignore them. */
  readonly controlBytes: number;
  readonly bulkBytes: number;
  /** Where the lanes' counters start, a multiple of 4. For tests, that begin just below 2^31 and 2^32. */
  readonly startAt?: number;
}

export interface Connection {
  readonly sending: SendingEnd;
  readonly receiving: ReceivingEnd;
}

/** Makes the two ends between one sender and one receiver, whose doorbell the sender rings. */
export function createConnection(
  kind: MailboxKind,
  receiverDoorbell: Doorbell,
  capacities: Capacities,
): Connection {
  if (kind === "port") {
    const { port1, port2 } = new MessageChannel();
    return { sending: { kind, port: port1 }, receiving: { kind, port: port2 } };
  }
  const control = createLane(capacities.controlBytes, capacities.startAt);
  const bulk = createLane(capacities.bulkBytes, capacities.startAt);
  return { sending: { kind, control, bulk, doorbell: receiverDoorbell }, receiving: { kind, control, bulk } };
}

/** The ports that must be in the transfer list of the message that carries this end: none for a ring. */
export function transferListOf(end: SendingEnd | ReceivingEnd): MessagePort[] {
  return end.kind === "port" ? [end.port] : [];
}

export interface InboxOptions {
  readonly kind: MailboxKind;
  readonly doorbell: Doorbell;
  /** How `park` waits. Port inboxes always wait on the event loop. */
  readonly waiting: "thread" | "event-loop";
  /** The ends that there are already, each with its sender's name; `attach` adds others. */
  readonly lanes?: Iterable<readonly [sender: string, end: ReceivingEnd]>;
}

export function openInbox(options: InboxOptions): Inbox {
  const [inbox] = openInboxes(options, 1) as [Inbox];
  for (const [sender, end] of options.lanes ?? []) inbox.attach(sender, end);
  return inbox;
}

/**
 * Several inboxes that one thread reads, behind one doorbell: `park` of any of them waits for something in any. A
 * wake-up is counted by the inbox that it was for.
 */
export function openInboxes(options: Omit<InboxOptions, "lanes">, count: number): Inbox[] {
  const { kind, doorbell, waiting } = options;
  const parking = new Parking(doorbell, kind === "port" ? "event-loop" : waiting);
  return Array.from({ length: count }, () =>
    kind === "port" ? new PortInbox(parking) : new RingInbox(parking),
  );
}

/** Opens a sending end. `to` names the receiver in the errors of damaged lanes. */
export function openOutbox(end: SendingEnd, to = "receiver"): Outbox {
  return end.kind === "port" ? new PortOutbox(end.port) : new RingOutbox(end, to);
}
