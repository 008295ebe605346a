import { setImmediate as nextTurn } from "node:timers/promises";
import { type ClusterHandle, joinReplica } from "@synod/runtime";
import { workerData } from "piscina";
import { keys, loadCommand, type Slice } from "../load.js";
import { VerifyingStore } from "../verifying-store.js";
import type { SliceAnswer, SliceTask } from "./thread-load.js";

/** What a thread that reads is given; without a handle it reads a store of its own that nobody replicates. */
export interface ReadsSpec {
  readonly handle?: ClusterHandle<VerifyingStore>;
}

/** After so many reads the event loop gets a turn, as between two requests: without it no replica could follow. */
const readsPerTurn = 2048;

type ReadSome = (first: number) => number;

/** A store that holds what the cluster's holds, filled by hand. */
function openPlain(): ReadSome {
  const store = new VerifyingStore();
  keys.forEach((_, index) => void store.apply(loadCommand(index + 1), { instance: index, timeMs: 0 }));
  return first => {
    let found = 0;
    for (let index = 0; index < readsPerTurn; index++) {
      const key = keys[(first + index) % keys.length]!;
      if (store.get(key) !== undefined) found++;
    }
    return found;
  };
}

async function openReplica(handle: ClusterHandle<VerifyingStore>): Promise<ReadSome> {
  const replica = await joinReplica(handle, () => new VerifyingStore());
  return first => {
    let found = 0;
    for (let index = 0; index < readsPerTurn; index++) {
      const key = keys[(first + index) % keys.length]!;
      if (replica.read(store => store.get(key)) !== undefined) found++;
    }
    return found;
  };
}

async function readFor(readSome: ReadSome, durationMs: number): Promise<Slice> {
  const startedAt = performance.now();
  let reads = 0;
  for (;;) {
    reads += readSome(reads);
    const passedMs = performance.now() - startedAt;
    if (passedMs >= durationMs) return { commits: reads, durationMs: passedMs };
    await nextTurn();
  }
}

const { handle } = workerData as ReadsSpec;
const readSome = handle === undefined ? openPlain() : await openReplica(handle);
let acknowledged = 0;

export default async function answer({ durationMs }: SliceTask): Promise<SliceAnswer> {
  const slice = await readFor(readSome, durationMs);
  acknowledged += slice.commits;
  return { ...slice, acknowledged };
}
