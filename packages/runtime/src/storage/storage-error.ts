import { SynodError } from "../errors.js";
import type { StorageUsage } from "./storage.js";

export function storageFull(bytes: number, { bytes: used, bytesMax }: StorageUsage): SynodError {
  const message = `the acceptor's storage has no room for ${bytes} bytes more: it holds ${used} of at most ${bytesMax}`;
  return new SynodError("STORAGE_FAILED", message);
}

export function storageDamaged(what: string): SynodError {
  const message = `the acceptor's storage is damaged, so it must not vote again: ${what}`;
  return new SynodError("STORAGE_FAILED", message);
}
