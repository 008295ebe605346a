import { Cluster } from "@synod/runtime";
import { checkAudit } from "../cluster-subject.js";
import { naming } from "../measure.js";
import { type SampledLoad, sampleInTurns, samplesPerLoad, warmUpSamples } from "../sampling.js";
import { type Audit, VerifyingStore } from "../verifying-store.js";
import type { CallsSpec } from "./calls-worker.js";
import { type EmbedRow, rowOf } from "./row.js";
import { ThreadLoad } from "./thread-load.js";

export const threadsModes = ["isolated", "compact", "single"] as const;
export type ThreadsMode = (typeof threadsModes)[number];

/** Commits of one client in another thread, one after the other; its rate is in commits per second. */
export interface LatencyRow extends EmbedRow {
  readonly threads: ThreadsMode;
  /** Between two commits, in milliseconds; 0 for none. */
  readonly pauseMs: number;
}

/** Long enough for all threads to fall asleep, and short enough for some hundred commits in a second. */
const pausesMs = [0, 3];
/** Clusters that wait for their turn hardly disturb the one that is measured. */
const idle = { leaseMs: 5000, sessionTimeoutMs: 3_600_000 };

/** How many steps {@link measureLatency} will report. */
export const latencySteps = threadsModes.length * pausesMs.length * (samplesPerLoad + warmUpSamples);

/** One client in a thread of its own against a cluster of each mode. @throws VerificationError */
export async function measureLatency(
  { seconds }: { readonly seconds: number },
  onStep: (what: string) => void,
): Promise<LatencyRow[]> {
  const clusters: Cluster<VerifyingStore>[] = [];
  const loads: (SampledLoad & { load: ThreadLoad; threads: ThreadsMode; pauseMs: number; at: number })[] = [];
  try {
    for (const pauseMs of pausesMs) {
      for (const threads of threadsModes) {
        const cluster = await Cluster.start({ ...idle, stateMachine: VerifyingStore, threads });
        const at = clusters.push(cluster) - 1;
        const spec: CallsSpec = { handle: cluster.handle(), call: "propose", callers: 1, pauseMs };
        const id = `${threads}, ${pauseMs === 0 ? "back to back" : `pauses of ${pauseMs} ms`}`;
        loads.push({ id, load: new ThreadLoad("./calls-worker.js", spec), threads, pauseMs, at });
      }
    }
    const sampled = await sampleInTurns(loads, { clients: 1, seconds }, onStep);
    for (const { id, load, at } of loads) {
      const client = await clusters[at]!.connect();
      const options = { consistency: "linearizable" } as const;
      const audit = (await client.query({ op: "audit" }, options)) as Audit;
      await naming(id, async () => checkAudit(audit, load.acknowledged));
    }
    return loads.map(({ id, threads, pauseMs }) => ({
      ...rowOf(id, sampled.get(id)!, true),
      threads,
      pauseMs,
    }));
  } finally {
    await Promise.all(loads.map(({ load }) => load.close()));
    await Promise.all(clusters.map(cluster => cluster.close()));
  }
}
