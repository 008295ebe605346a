import { machineLimits } from "./limits.js";

/** Cuts what a snapshot holds into pieces. */
export function* chunksOf<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let chunk: Row[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length < machineLimits.snapshotChunkEntries) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
