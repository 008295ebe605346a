export { HeapStorage } from "./heap-storage.js";
export { SharedStorage } from "./shared-storage.js";
export type { AcceptorStorage, StorageUsage } from "./storage.js";
export { createStorageRegion } from "./storage-region.js";
