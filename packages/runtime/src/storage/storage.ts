import type { AcceptorRecord, AcceptorState } from "@synod/core";

/** Bytes that a storage retains, and the most that it may. */
export interface StorageUsage {
  readonly bytes: number;
  readonly bytesMax: number;
}

/** Where an acceptor keeps what it must not forget. An answer leaves only after `persist` has returned. */
export interface AcceptorStorage {
  readonly usage: StorageUsage;

  /**
   * What an earlier life left behind; undefined when there was none.
   *
   * @throws SynodError `STORAGE_FAILED` when what was published is damaged: this acceptor must never vote again
   */
  recover(): AcceptorState | undefined;

  /**
   * Is there room for accepted entries that weigh `bytes` in all, by core's scale, on top of what was persisted?
   * An acceptor refuses an Accept that its storage has no room for. Promises, leases and trims need no room.
   */
  hasRoom(bytes: number): boolean;

  /**
   * Makes the records safe, all of them or none.
   *
   * @throws SynodError `STORAGE_FAILED` when there is no room for them
   */
  persist(records: readonly AcceptorRecord[]): void;
}
