export { latestSnapshot, newestSnapshot, PublishedWatch, type Snapshot } from "./snapshot-reader.js";
export { createSnapshotRegion, type SnapshotRegion } from "./snapshot-region.js";
export { SnapshotWriter } from "./snapshot-writer.js";
