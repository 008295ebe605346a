import type { ClusterOptions } from "@synod/runtime";
import type { Settings } from "../results/format.js";
import type { Shape } from "./grid.js";

/** What a user writes to get the same batches. */
type BatchSettings = Pick<ClusterOptions<never>, "batch" | "pipeline">;

/** The default cap of a batch, in bytes, and the highest that there is. */
const bytesMaxDefault = 262_144;
const bytesMaxMost = 2 ** 24;
/** A command of the sweep without its payload takes fewer bytes than this. */
const commandBytesMax = 64;

/** The options of a cluster for a batch and a pipeline; what is adaptive is left as it is by default. */
export function batchSettings(
  { batch, pipeline }: Pick<Settings, "batch" | "pipeline">,
  payloadBytes: number,
) {
  const needed = batch === "adaptive" ? 0 : batch * (payloadBytes + commandBytesMax);
  // A batch of so many commands is what the row says that it measures: the cap in bytes must leave room for it.
  const bytes = needed > bytesMaxDefault ? { bytesMax: Math.min(needed, bytesMaxMost) } : {};
  return {
    ...(batch === "adaptive" ? {} : { batch: { commandsMax: batch, ...bytes, adaptive: false } }),
    ...(pipeline === "adaptive" ? {} : { pipeline: { batchesMax: pipeline } }),
  } satisfies BatchSettings;
}

/** All that a cluster of the sweep is started with, but its state machine. */
export function clusterOptions(shape: Shape, payloadBytes: number) {
  const { acceptors, learners, mailbox, threads } = shape;
  return { acceptors, learners, mailbox, threads, ...batchSettings(shape, payloadBytes) };
}
