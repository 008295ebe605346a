import {
  type AcceptedEntry,
  type AcceptorRecord,
  type AcceptorState,
  type Ballot,
  compareBallots,
  recoverAcceptor,
} from "@synod/core";
import {
  RECORD_BYTES_MIN,
  type RegionViews,
  readRecord,
  readRecordHead,
  recordBytesMax,
  recordBytesOf,
  writeRecord,
} from "./entry-record.js";
import type { AcceptorStorage, StorageUsage } from "./storage.js";
import { storageDamaged, storageFull } from "./storage-error.js";
import { HeaderSlots, LOG_START, type StorageHeader } from "./storage-region.js";

/**
 * Storage in memory that the process owns, so that an acceptor whose thread dies comes back with what it has
 * promised and accepted. One life writes at a time: whoever opens a region knows that the thread before has ended.
 *
 * Nothing that is published is ever overwritten: what a call frees may be written to from the next call on.
 */
export class SharedStorage implements AcceptorStorage {
  readonly #region: SharedArrayBuffer;
  readonly #views: RegionViews;
  readonly #slots: HeaderSlots;
  /** As published, but for the time of `persist`. */
  readonly #header: StorageHeader;

  /** Opens a region of {@link createStorageRegion}. @throws SynodError `STORAGE_FAILED` when it is damaged */
  constructor(region: SharedArrayBuffer) {
    this.#region = region;
    this.#views = { bytes: new Uint8Array(region), numbers: new Float64Array(region) };
    this.#slots = new HeaderSlots(region);
    this.#header = this.#slots.readPublished();
  }

  /** Bytes between the first record and the last one, what lies unused between them included. */
  get usage(): StorageUsage {
    const { head, tail, wrap } = this.#header;
    const logBytes = wrap === 0 ? tail - head : wrap - head + tail - LOG_START;
    return { bytes: LOG_START + logBytes, bytesMax: this.#region.maxByteLength };
  }

  recover(): AcceptorState | undefined {
    const entries = this.#readLog();
    if (!this.#slots.hasLived) return undefined;
    const { promised, lease, trimmedBelow } = this.#header;
    const accepts = entries.map((entry): AcceptorRecord => ({ kind: "accept", entry, leaseUntil: 0 }));
    const { accepted } = recoverAcceptor([...accepts, { kind: "trim", below: trimmedBelow }]);
    return { promised, lease, trimmedBelow, accepted };
  }

  hasRoom(bytes: number): boolean {
    return this.#canPlace(recordBytesMax(bytes));
  }

  persist(records: readonly AcceptorRecord[]): void {
    let bytes = 0;
    for (const record of records) if (record.kind === "accept") bytes += recordBytesOf(record.entry);
    if (!this.#canPlace(bytes)) throw storageFull(bytes, this.usage);
    if (bytes > 0) this.#place(bytes);
    for (const record of records) this.#keep(record);
    this.#dropTrimmed();
    this.#slots.publish(this.#header);
  }

  #keep(record: AcceptorRecord): void {
    const header = this.#header;
    switch (record.kind) {
      case "promise":
        return this.#raise(record.ballot);
      case "accept":
        this.#append(record.entry);
        this.#raise(record.entry.ballot);
        header.lease = { ballot: record.entry.ballot, until: record.leaseUntil };
        return;
      case "lease":
        this.#raise(record.ballot);
        header.lease = { ballot: record.ballot, until: record.leaseUntil };
        return;
      case "trim":
        header.trimmedBelow = Math.max(header.trimmedBelow, record.below);
        return;
    }
  }

  #raise(ballot: Ballot): void {
    if (compareBallots(ballot, this.#header.promised) > 0) this.#header.promised = ballot;
  }

  #append(entry: AcceptedEntry): void {
    const header = this.#header;
    const length = recordBytesOf(entry);
    writeRecord(this.#views, header.tail, length, header.nextRecord, entry);
    header.tail += length;
    header.nextRecord += 1;
  }

  /** Is there room for so many bytes in one piece? */
  #canPlace(bytes: number): boolean {
    const { head, tail, wrap } = this.#header;
    const bytesMax = this.#region.maxByteLength;
    if (wrap !== 0) return tail + bytes <= head || wrap + (tail - LOG_START) + bytes <= bytesMax;
    return tail + bytes <= bytesMax || LOG_START + bytes <= head;
  }

  /** Moves the tail to where so many bytes follow it that are free: goes on, or back to the start, or grows. */
  #place(bytes: number): void {
    const header = this.#header;
    if (header.wrap !== 0) {
      if (header.tail + bytes > header.head) this.#unroll(bytes);
      return;
    }
    if (header.tail + bytes <= this.#region.byteLength) return;
    if (LOG_START + bytes > header.head) return this.#grow(header.tail + bytes);
    header.wrap = header.tail;
    header.tail = LOG_START;
  }

  /** Copies the part at the start behind the part at the end. What was copied is free from the next call on. */
  #unroll(bytes: number): void {
    const header = this.#header;
    const length = header.tail - LOG_START;
    this.#grow(header.wrap + length + bytes);
    this.#views.bytes.copyWithin(header.wrap, LOG_START, header.tail);
    header.tail = header.wrap + length;
    header.wrap = 0;
  }

  /** Doubling makes what is copied by {@link #unroll} little per record; memory that nobody touched costs nothing. */
  #grow(bytesMin: number): void {
    const { byteLength, maxByteLength } = this.#region;
    if (bytesMin <= byteLength) return;
    this.#region.grow(Math.min(maxByteLength, Math.max(bytesMin, byteLength * 2)));
  }

  /** Forgets records from the front. One that came out of order holds up those behind it until it is trimmed. */
  #dropTrimmed(): void {
    const header = this.#header;
    while (header.firstRecord < header.nextRecord) {
      const { length, endInstance } = readRecordHead(this.#views, header.head);
      if (endInstance > header.trimmedBelow) return;
      if (!(length >= RECORD_BYTES_MIN)) throw storageDamaged(`a record has ${length} bytes`);
      header.head += length;
      header.firstRecord += 1;
      if (header.head === header.wrap) {
        header.head = LOG_START;
        header.wrap = 0;
      }
    }
    header.head = LOG_START;
    header.tail = LOG_START;
  }

  /** The entries of all records, the oldest first. @throws SynodError `STORAGE_FAILED` */
  #readLog(): AcceptedEntry[] {
    const { head, tail, wrap, firstRecord, nextRecord } = this.#header;
    const entries: AcceptedEntry[] = [];
    let position = head;
    let end = wrap === 0 ? tail : wrap;
    for (let number = firstRecord; number < nextRecord; number++) {
      if (position === wrap) {
        position = LOG_START;
        end = tail;
      }
      const record = readRecord(this.#views, position, end, number);
      if (record === undefined) throw storageDamaged(`record ${number} of its log is not what was written`);
      entries.push(record.entry);
      position += record.length;
    }
    return entries;
  }
}
