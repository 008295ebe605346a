/**
 * Mailboxes over a MessageChannel per sender and receiver: the same contract without shared memory, to measure
 * what the ring buys. postMessage has no back-pressure: a receiver that stalls pays with memory, without bound.
 */
import type { MessagePort } from "node:worker_threads";
import type { FrameHandler, Inbox, LaneKind, Outbox, ReceivingEnd } from "./mailbox.js";
import type { Parking, ParkingInbox } from "./parking.js";
import { type FrameSource, Senders } from "./rotation.js";

/** One frame: bulk frames travel bare. */
type PortMessage = Uint8Array | { readonly control: Uint8Array };

export class PortOutbox implements Outbox {
  readonly #port: MessagePort;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.unref();
  }

  /** Posts at once: a port has no cheaper way to publish many frames than to post each. */
  send(frame: Uint8Array, lane: LaneKind): boolean {
    if (this.#closed) return false;
    const copy = new Uint8Array(frame);
    const message: PortMessage = lane === "bulk" ? copy : { control: copy };
    this.#port.postMessage(message, [copy.buffer]);
    return true;
  }

  flush(): boolean {
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#port.close();
  }
}

/** Places of consumed frames that a queue keeps before it moves what is left to its beginning. */
const CONSUMED_MAX = 4096;

/** Frames that have arrived and wait in the receiver's heap. */
class FrameQueue implements FrameSource {
  #frames: (Uint8Array | undefined)[] = [];
  #at = 0;
  #bytes = 0;

  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  next(): Uint8Array | undefined {
    const frame = this.#frames[this.#at];
    if (frame === undefined) return undefined;
    this.#frames[this.#at++] = undefined;
    this.#bytes -= frame.length;
    if (this.#at === this.#frames.length || this.#at === CONSUMED_MAX) {
      this.#frames = this.#frames.slice(this.#at);
      this.#at = 0;
    }
    return frame;
  }

  isEmpty(): boolean {
    return this.#at === this.#frames.length;
  }

  depthBytes(): number {
    return this.#bytes;
  }
}

export class PortInbox implements Inbox, ParkingInbox {
  readonly #ports = new Map<string, MessagePort>();
  readonly #senders = new Senders<FrameQueue>(() => 0);
  readonly #parking: Parking;
  #closed = false;

  /** `parking` waits on the event loop, which is what delivers a port's messages. */
  constructor(parking: Parking) {
    this.#parking = parking;
    parking.add(this);
  }

  get counters() {
    return this.#senders.counters;
  }

  receive(handler: FrameHandler, framesMax: number): number {
    return this.#senders.receive(handler, framesMax);
  }

  park(timeoutMs: number): Promise<void> | undefined {
    return this.#parking.park(timeoutMs);
  }

  attach(sender: string, end: ReceivingEnd): void {
    if (end.kind !== "port") throw new TypeError(`a port inbox cannot read the ${end.kind} of ${sender}`);
    this.detach(sender);
    if (this.#closed) return;
    const { port } = end;
    const control = new FrameQueue();
    const bulk = new FrameQueue();
    port.on("message", (message: PortMessage) => {
      if (message instanceof Uint8Array) bulk.push(message);
      else control.push(message.control);
      this.#parking.wake();
    });
    port.unref();
    this.#ports.set(sender, port);
    this.#senders.set(sender, { control, bulk });
  }

  detach(sender: string): void {
    this.#ports.get(sender)?.close();
    this.#ports.delete(sender);
    this.#senders.delete(sender);
  }

  hasFrames(): boolean {
    return !this.#senders.isEmpty();
  }

  /** A port does not say how far its sender is. */
  hasSettledFrames(): boolean {
    return false;
  }

  depthBytes(): number {
    return this.#senders.depthBytes();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const sender of this.#senders.names()) this.detach(sender);
    this.#parking.remove(this);
  }
}
