import type { Cluster } from "@synod/runtime";
import type { ChaosMachine, Totals } from "./machine.js";

/** After the faults, learners have so long, in milliseconds, to apply the same. */
const agreeWithinMs = 30_000;
const agreePollMs = 50;
/** A query after the faults ends by then, in milliseconds. */
const queryWithinMs = 30_000;

/** What a client reads that connects only now. */
export async function readTotals(cluster: Cluster<ChaosMachine>): Promise<Totals> {
  const client = await cluster.connect();
  try {
    const query = { consistency: "linearizable", timeoutMs: queryWithinMs } as const;
    return (await client.query({ op: "totals" }, query)) as Totals;
  } finally {
    await client.close();
  }
}

/** Waits until all learners have applied the same part of the log, and compares their states; what is wrong, if anything is. */
export async function compareLearners(
  cluster: Cluster<ChaosMachine>,
  count: number,
): Promise<string | undefined> {
  const giveUpAt = performance.now() + agreeWithinMs;
  for (;;) {
    const inspections = await cluster.inspect({ stateDigest: true });
    const learners = inspections.filter(({ role }) => role === "learner");
    const isLevel =
      learners.length === count &&
      learners.every(({ appliedBelow }) => appliedBelow === learners[0]?.appliedBelow);
    const applied = learners.map(({ name, appliedBelow }) => `${name} below ${appliedBelow}`).join(", ");
    if (isLevel) {
      const digests = new Set(learners.map(({ stateDigest }) => stateDigest));
      if (digests.size === 1 && !digests.has(undefined)) return undefined;
      const states = learners.map(({ name, stateDigest }) => `${name} ${stateDigest}`).join(", ");
      return `learners that applied the same differ: ${states}; applied are ${applied}`;
    }
    if (performance.now() > giveUpAt) return `${count} learners do not come level: applied are ${applied}`;
    await new Promise(resolve => setTimeout(resolve, agreePollMs));
  }
}

/** Over all lives of all actors. */
export async function lostWakeUps(cluster: Cluster<ChaosMachine>): Promise<number> {
  const { actors } = await cluster.status();
  return actors.reduce((sum, { lostWakeUps }) => sum + lostWakeUps, 0);
}
