export {
  latestSnapshot,
  newestSnapshot,
  PublishedWatch,
  type Snapshot,
  snapshotsFrom,
} from "./snapshot-reader.js";
export { createSnapshotRegion, type SnapshotRegion } from "./snapshot-region.js";
export { SnapshotTurn } from "./snapshot-turn.js";
export { SnapshotWriter } from "./snapshot-writer.js";
