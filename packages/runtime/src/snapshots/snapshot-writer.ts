import { crc32 } from "node:zlib";
import { assert } from "@synod/core";
import { SynodError } from "../errors.js";
import {
  CHUNK_HEAD_BYTES,
  chunkSpace,
  type Slot,
  SnapshotControl,
  type SnapshotHeader,
  type SnapshotRegion,
} from "./snapshot-region.js";

/** The snapshot that is being written. */
interface Draft {
  readonly slot: Slot;
  bytes: number;
  chunkCount: number;
  checksum: number;
  /** Where the next chunk goes. */
  position: number;
}

/**
 * Writes the snapshots of one learner. One life writes at a time: whoever makes a writer knows that the thread before
 * has ended.
 */
export class SnapshotWriter {
  readonly #region: SnapshotRegion;
  readonly #control: SnapshotControl;
  #draft: Draft | undefined;

  constructor(region: SnapshotRegion) {
    this.#region = region;
    this.#control = new SnapshotControl(region);
  }

  /** Somebody reads what {@link begin} would overwrite. */
  isHeld(nowMs: number): boolean {
    return this.#control.isHeld(this.#nextSlot, nowMs);
  }

  /** Starts a snapshot in the slot that is not published; readers of what was there are told. */
  begin(): void {
    assert(this.#draft === undefined, "a snapshot is published or abandoned before the next one begins");
    const slot = this.#nextSlot;
    this.#control.begin(slot);
    this.#draft = { slot, bytes: 0, chunkCount: 0, checksum: 0, position: 0 };
  }

  /** Copies a chunk in. @throws SynodError `STORAGE_FAILED` when the snapshot gets too large; it is abandoned then */
  write(chunk: Uint8Array): void {
    const draft = this.#openDraft();
    const memory = this.#region.slots[draft.slot];
    const end = draft.position + chunkSpace(chunk.byteLength);
    if (end > memory.maxByteLength) {
      this.abandon();
      const message = `a snapshot has more than the ${memory.maxByteLength} bytes that a learner may publish`;
      throw new SynodError("STORAGE_FAILED", message);
    }
    // Twice as much as before: memory that nobody has touched costs nothing.
    if (end > memory.byteLength)
      memory.grow(Math.min(memory.maxByteLength, Math.max(end, memory.byteLength * 2)));
    draft.checksum = crc32(chunk, draft.checksum);
    new Uint8Array(memory, draft.position + CHUNK_HEAD_BYTES, chunk.byteLength).set(chunk);
    new Uint32Array(memory, draft.position, 2).set([chunk.byteLength, draft.checksum]);
    draft.bytes += chunk.byteLength;
    draft.chunkCount += 1;
    draft.position = end;
  }

  /** Makes the snapshot the one that readers find, in place of the one before. */
  publish({ instance, commands }: Pick<SnapshotHeader, "instance" | "commands">): SnapshotHeader {
    const { slot, bytes, chunkCount, checksum } = this.#openDraft();
    const published = this.#control.publishedSlot();
    const former = published === undefined ? undefined : this.#control.readHeader(published);
    const header = {
      generation: (former?.generation ?? 0) + 1,
      instance,
      commands,
      bytes,
      chunkCount,
      checksum,
    };
    this.#control.publish(slot, header);
    this.#draft = undefined;
    return header;
  }

  /** Gives up what was begun, if anything was. What is published stays. */
  abandon(): void {
    this.#draft = undefined;
  }

  get #nextSlot(): Slot {
    return this.#control.publishedSlot() === 0 ? 1 : 0;
  }

  #openDraft(): Draft {
    assert(this.#draft !== undefined, "a snapshot begins before it is written");
    return this.#draft;
  }
}
