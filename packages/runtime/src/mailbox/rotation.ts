/** Whose turn it is: what both kinds of inbox do with the lanes of many senders. */
import type { FrameHandler, InboxCounters } from "./mailbox.js";

/** One lane of one sender, seen from the receiver. */
export interface FrameSource {
  /** Consumes the next frame, or one part of it, and returns the frame if it is complete. */
  next(): Uint8Array | undefined;
  isEmpty(): boolean;
  depthBytes(): number;
}

export interface Sender<Source extends FrameSource> {
  readonly control: Source;
  readonly bulk: Source;
}

/** The lanes of one kind, each in its turn. Senders may come and go while a frame of theirs is handled. */
class Rotation<Source extends FrameSource> {
  /** Whose the frame was that `next` returned last. */
  from = "";
  #names: readonly string[] = [];
  #sources: readonly Source[] = [];
  #cursor = 0;

  set(sources: ReadonlyMap<string, Source>): void {
    this.#names = [...sources.keys()];
    this.#sources = [...sources.values()];
  }

  next(): Uint8Array | undefined {
    const names = this.#names;
    const sources = this.#sources;
    for (let left = sources.length; left > 0; left--) {
      if (this.#cursor >= sources.length) this.#cursor = 0;
      const at = this.#cursor++;
      const frame = sources[at]!.next();
      if (frame !== undefined) {
        this.from = names[at]!;
        return frame;
      }
    }
    return undefined;
  }

  isEmpty(): boolean {
    for (const source of this.#sources) if (!source.isEmpty()) return false;
    return true;
  }
}

/** All lanes of an inbox. */
export class Senders<Source extends FrameSource> {
  readonly counters: InboxCounters = { frames: 0, bytes: 0, wakeUps: 0, calls: 0, lostWakeUps: 0 };
  readonly #controlFlushes: () => number;
  readonly #byName = new Map<string, Sender<Source>>();
  readonly #control = new Rotation<Source>();
  readonly #bulk = new Rotation<Source>();

  /** `controlFlushes` changes when control lanes may have filled: looking at one word is cheaper than at all. */
  constructor(controlFlushes: () => number) {
    this.#controlFlushes = controlFlushes;
  }

  set(name: string, sender: Sender<Source>): void {
    this.#byName.set(name, sender);
    this.#rotate();
  }

  delete(name: string): void {
    if (this.#byName.delete(name)) this.#rotate();
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  isEmpty(): boolean {
    return this.#control.isEmpty() && this.#bulk.isEmpty();
  }

  /** Makes no garbage: each park that times out asks it. */
  some(test: (source: Source) => boolean): boolean {
    for (const { control, bulk } of this.#byName.values()) if (test(control) || test(bulk)) return true;
    return false;
  }

  depthBytes(): number {
    let bytes = 0;
    for (const { control, bulk } of this.#byName.values()) bytes += control.depthBytes() + bulk.depthBytes();
    return bytes;
  }

  /** See `Inbox.receive`. */
  receive(handler: FrameHandler, framesMax: number): number {
    const control = this.#control;
    const bulk = this.#bulk;
    const counters = this.counters;
    let flushes = this.#controlFlushes();
    let mayHaveControl = true;
    let received = 0;
    while (received < framesMax) {
      const flushesNow = this.#controlFlushes();
      if (flushesNow !== flushes) {
        flushes = flushesNow;
        mayHaveControl = true;
      }
      let rotation = control;
      let frame = mayHaveControl ? control.next() : undefined;
      if (frame === undefined) {
        mayHaveControl = false;
        rotation = bulk;
        frame = bulk.next();
      }
      if (frame === undefined) {
        if (this.isEmpty()) break;
        mayHaveControl = true; // Parts of a frame went by.
        continue;
      }
      received++;
      counters.frames++;
      counters.bytes += frame.length;
      handler(rotation.from, frame);
    }
    return received;
  }

  #rotate(): void {
    this.#control.set(mapValues(this.#byName, sender => sender.control));
    this.#bulk.set(mapValues(this.#byName, sender => sender.bulk));
  }
}

function mapValues<From, To>(map: ReadonlyMap<string, From>, to: (from: From) => To): Map<string, To> {
  return new Map([...map].map(([name, value]) => [name, to(value)]));
}
