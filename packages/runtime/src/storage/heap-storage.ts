import type { AcceptorRecord } from "@synod/core";
import { endOf } from "@synod/core";
import { recordBytesMax, recordBytesOf } from "./entry-record.js";
import type { AcceptorStorage, StorageUsage } from "./storage.js";
import { storageFull } from "./storage-error.js";

/**
 * The acceptor's own heap. What the acceptor holds in memory is all there is, so nothing is to be written and
 * nothing survives the thread: an acceptor that dies must not vote again under its name. It only keeps count, so
 * that an acceptor's memory is bounded whatever its storage.
 */
export class HeapStorage implements AcceptorStorage {
  readonly #bytesMax: number;
  #bytes = 0;
  #trimmedBelow = 0;
  /** What the acceptor retains, in the order in which it came. */
  readonly #retained: { readonly end: number; readonly bytes: number }[] = [];
  /** Entries before this position have been trimmed; compacted now and then. */
  #head = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usage(): StorageUsage {
    return { bytes: this.#bytes, bytesMax: this.#bytesMax };
  }

  recover(): undefined {
    return undefined;
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes + recordBytesMax(bytes) <= this.#bytesMax;
  }

  persist(records: readonly AcceptorRecord[]): void {
    let added = 0;
    for (const record of records) if (record.kind === "accept") added += recordBytesOf(record.entry);
    if (added > this.#bytesMax - this.#bytes) throw storageFull(added, this.usage);
    this.#bytes += added;
    for (const record of records) {
      if (record.kind === "trim") this.#trimmedBelow = Math.max(this.#trimmedBelow, record.below);
      if (record.kind !== "accept") continue;
      this.#retained.push({ end: endOf(record.entry), bytes: recordBytesOf(record.entry) });
    }
    this.#dropTrimmed();
  }

  #dropTrimmed(): void {
    for (;;) {
      const first = this.#retained[this.#head];
      if (first === undefined || first.end > this.#trimmedBelow) break;
      this.#bytes -= first.bytes;
      this.#head += 1;
    }
    if (this.#head < 64 || this.#head * 2 < this.#retained.length) return;
    this.#retained.splice(0, this.#head);
    this.#head = 0;
  }
}
