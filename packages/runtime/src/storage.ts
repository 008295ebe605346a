import type { AcceptorRecord, AcceptorState } from "@synod/core";

/** Where an acceptor keeps what it must not forget. An answer leaves only after `persist` has returned. */
export interface AcceptorStorage {
  /** What an earlier life left behind; undefined when there was none. */
  recover(): AcceptorState | undefined;
  persist(records: readonly AcceptorRecord[]): void;
}

/**
 * The acceptor's own heap. What the acceptor holds in memory is all there is, so nothing is to be written and
 * nothing survives the thread: an acceptor that dies must not vote again under its name.
 */
export class HeapStorage implements AcceptorStorage {
  recover(): undefined {
    return undefined;
  }

  persist(): void {}
}
