import { majorities, type QuorumSizes, ThresholdQuorums } from "@synod/core";
import { Random } from "@synod/core/testing";
import type { ClusterOptions } from "./actors/script-actor.js";
import type { Settings } from "./settings.js";

const flags = ["digest", "distinguished", "adaptive", "samples"] as const;

/** The settings of the command `cluster`. */
export function clusterOptions(words: readonly string[], settings: Settings): ClusterOptions {
  const unknown = words.find(word => !flags.some(flag => flag === word));
  if (unknown !== undefined) throw new Error(`no such setting: ${unknown}`);
  const topology = {
    proposers: settings.number("proposers", 2),
    acceptors: settings.number("acceptors", 3),
    learners: settings.number("learners", 1),
  };
  const majority = majorities(topology.acceptors);
  const sizes: QuorumSizes = {
    prepare: settings.number("prepare", majority.prepare),
    accept: settings.number("accept", majority.accept),
  };
  return {
    topology,
    quorums: new ThresholdQuorums(topology.acceptors, sizes),
    mode: settings.text("mode", "multi") === "basic" ? "basic" : "multi",
    batchCommandsMax: settings.number("batch", 4),
    lingerMs: settings.number("linger", 0),
    adaptive: words.includes("adaptive"),
    pipelineBatchesMax: settings.number("pipeline", 4),
    retransmitMs: settings.number("retransmitMs", 100),
    leaseMs: settings.number("lease", 0),
    digest: words.includes("digest"),
    samples: words.includes("samples"),
    distinguishedLearner: words.includes("distinguished"),
    fetchAfterMs: settings.number("fetchAfterMs", 30),
    promisePartBytesMax: settings.number("promiseBytes", 1000),
    retryAfterMs: settings.number("retryAfterMs", 1000),
    windowCommandsMax: settings.number("window", 8),
    sessionTimeoutMs: settings.number("sessionTimeout", 3_600_000),
    firstInstance: settings.number("firstInstance", 0),
    random: chanceOf(settings.text("seed", "")),
  };
}

/** In twentieths, so that times are whole milliseconds; without a seed the middle of everything. */
function chanceOf(seed: string): () => number {
  if (seed === "") return () => 0.5;
  const random = new Random(Number(seed));
  return () => random.below(20) / 20;
}
