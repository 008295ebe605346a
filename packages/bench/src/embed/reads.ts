import { Cluster } from "@synod/runtime";
import { checkAudit } from "../cluster-subject.js";
import { keys, type Load } from "../load.js";
import { ratio } from "../results/statistics.js";
import { type SampledLoad, sampleInTurns, samplesPerLoad, warmUpSamples } from "../sampling.js";
import { type Audit, VerifyingStore } from "../verifying-store.js";
import type { CallsSpec } from "./calls-worker.js";
import type { ThreadsMode } from "./latency.js";
import { beside, PacedLoad } from "./paced-load.js";
import type { ReadsSpec } from "./reads-worker.js";
import { type EmbedRow, rowOf } from "./row.js";
import { ThreadLoad } from "./thread-load.js";

/** A way to read; its rate is in reads per second. */
interface ReadsRow extends EmbedRow {
  /** To the plain store's row with the same load beside it. */
  readonly ratioToPlain: number | null;
}

export interface Reads {
  readonly rows: readonly ReadsRow[];
  /** Commands per second that were committed beside the rows that say so, all in all. */
  readonly committedPerSecond: number | null;
}

/** Calls under way in the rows with many callers. */
const callersMany = 256;
const queries = (["sequential", "linearizable"] as const).flatMap(call =>
  [1, callersMany].map(callers => ({ call, callers })),
);
const idsOfPlain = { idle: "plain store", loaded: "plain store, commits beside" };

/** How many steps {@link measureReads} will report. */
export const readsSteps = (4 + queries.length) * (samplesPerLoad + warmUpSamples);

/**
 * Reads of a replica in a thread that does nothing else, beside the same store in a thread without any replication, and
 * queries of a client in such a thread. With commits beside them, all threads share the cores with the cluster.
 *
 * @throws VerificationError
 */
export async function measureReads(
  options: { readonly seconds: number; readonly besidePerSecond: number; readonly threads: ThreadsMode },
  onStep: (what: string) => void,
): Promise<Reads> {
  const cluster = await Cluster.start({ stateMachine: VerifyingStore, threads: options.threads });
  const threads: ThreadLoad[] = [];
  const open = (module: string, spec: ReadsSpec | CallsSpec): ThreadLoad => {
    const load = new ThreadLoad(module, spec);
    threads.push(load);
    return load;
  };
  try {
    const client = await cluster.connect();
    const paced = new PacedLoad(command => client.propose(command), options.besidePerSecond);
    await fill(paced);
    const handle = cluster.handle();
    const plain = open("./reads-worker.js", {});
    const replica = open("./reads-worker.js", { handle });
    const clients = queries.map(({ call, callers }) => ({
      id: `query, ${call}, ${callers === 1 ? "one caller" : `${callers} callers`}`,
      load: open("./calls-worker.js", { handle, call, callers, pauseMs: 0 }) as Load,
    }));
    const loads: SampledLoad[] = [
      { id: idsOfPlain.idle, load: plain },
      { id: "replica", load: replica },
      { id: idsOfPlain.loaded, load: beside(plain, paced) },
      { id: "replica, commits beside", load: beside(replica, paced) },
      ...clients,
    ];
    const sampled = await sampleInTurns(loads, { clients: callersMany, seconds: options.seconds }, onStep);
    checkAudit((await client.query({ op: "audit" })) as Audit, paced.acknowledged);
    const rows = loads.map(({ id }) => rowOf(id, sampled.get(id)!, id.startsWith("query")));
    return { rows: rows.map(row => relate(row, rows)), committedPerSecond: paced.achievedPerSecond };
  } finally {
    await Promise.all(threads.map(thread => thread.close()));
    await cluster.close();
  }
}

function relate(row: EmbedRow, rows: readonly EmbedRow[]): ReadsRow {
  const id = row.id.endsWith("commits beside") ? idsOfPlain.loaded : idsOfPlain.idle;
  const plain = rows.find(other => other.id === id);
  return { ...row, ratioToPlain: ratio(row.perSecond, plain?.perSecond) };
}

/** Every key is there before anybody reads. */
async function fill(paced: PacedLoad): Promise<void> {
  paced.start();
  while (paced.acknowledged < keys.length) await new Promise(resolve => setImmediate(resolve));
  await paced.stop();
}
