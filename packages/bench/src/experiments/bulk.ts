import { type AnyStateMachine, type Client, Cluster, type StateMachineClass } from "@synod/runtime";
import { BulkLoad, type ProposeMany } from "../bulk-load.js";
import { ByteStore, type ByteStoreOptions, recordBytes } from "../byte-store.js";
import { checkAudit, inspectAtRest } from "../cluster-subject.js";
import { VerificationError } from "../experiment.js";
import { ClosedLoopLoad, type Load, loadCommand } from "../load.js";
import { naming, type OnStep } from "../measure.js";
import { ratio } from "../results/statistics.js";
import { type Sampled, sampleInTurns, samplesPerLoad, warmUpSamples } from "../sampling.js";
import { type Audit, VerifyingStore } from "../verifying-store.js";
import { bytesCeiling, listCeiling } from "./bulk-ceiling.js";

export interface BulkOptions {
  /** Seconds measured per row. */
  readonly seconds: number;
  /** Where the JSON result goes. */
  readonly json?: string;
}

/** One way to propose commands; a latency is that of a call. */
export interface BulkRow extends Sampled {
  readonly id: string;
  /** To the first row, commands one at a time. */
  readonly ratioToFirst: number | null;
}

/** Something that takes a load. */
export interface Running {
  readonly id: string;
  readonly load: Load;
  /** @throws VerificationError unless everything acknowledged was applied once, in order */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/** Closed-loop clients of the first row; the other rows have as many commands under way, or more. */
const clients = 4096;
const smallArrays = { calls: 64, commands: 100 } as const;
const largeArrays = { calls: 16, commands: 1000 } as const;
/** As in the rows of the main table: idle clusters hardly disturb the one that is measured. */
const idle = { leaseMs: 5000, sessionTimeoutMs: 3_600_000 };

const starts = [
  single,
  () => lists("proposeAll, arrays of 100", smallArrays),
  () => lists("proposeAll, arrays of 1,000", largeArrays),
  () => bytes("proposeBytes, Map", { cells: "map", results: "numbers" }),
  () => bytes("proposeBytes, typed array", { cells: "array", results: "numbers" }),
  () => bytes("proposeBytes, no results", { cells: "array", results: "none" }),
  async () => listCeiling("ceiling, arrays of 1,000", largeArrays),
  async () => bytesCeiling("ceiling, bytes", largeArrays),
];

/** How many steps {@link measureBulk} will report. */
export const bulkSteps = starts.length * (samplesPerLoad + warmUpSamples + 1);

/** Measures what it gains to propose many commands with one promise, and as bytes. @throws VerificationError */
export async function measureBulk({ seconds }: BulkOptions, onStep: OnStep): Promise<BulkRow[]> {
  let done = 0;
  const running: Running[] = [];
  try {
    for (const start of starts) running.push(await start());
    const sampled = await sampleInTurns(running, { clients, seconds }, what =>
      onStep(++done, bulkSteps, what),
    );
    for (const { id, verify } of running) {
      await naming(id, verify);
      onStep(++done, bulkSteps, `${id}: verified`);
    }
    const first = sampled.get(running[0]!.id)!.commitsPerSecond;
    return running.map(({ id }) => {
      const one = sampled.get(id)!;
      return { id, ...one, ratioToFirst: ratio(one.commitsPerSecond, first) };
    });
  } finally {
    await Promise.all(running.map(one => one.close()));
  }
}

interface Shape {
  readonly calls: number;
  readonly commands: number;
}

async function single(): Promise<Running> {
  return startRow("propose, one at a time", VerifyingStore, undefined, client => {
    return new ClosedLoopLoad(command => client.propose(command), 0);
  });
}

function lists(id: string, { calls, commands }: Shape): Promise<Running> {
  return startRow(id, VerifyingStore, undefined, client => {
    const propose: ProposeMany = (first, count) =>
      client.proposeAll(Array.from({ length: count }, (_, index) => loadCommand(first + index)));
    return new BulkLoad(propose, calls, commands);
  });
}

function bytes(id: string, options: ByteStoreOptions): Promise<Running> {
  return startRow(id, ByteStore, options, client => {
    const { calls, commands } = largeArrays;
    const records = recordWriter(commands);
    return new BulkLoad(first => client.proposeBytes(records(first), { recordBytes }), calls, commands);
  });
}

/** Writes the commands with the identities from `first` on, always into the same memory: it is captured at the call. */
export function recordWriter(commands: number): (first: number) => Uint8Array {
  const memory = new Uint8Array(commands * recordBytes);
  const view = new DataView(memory.buffer);
  return first => {
    for (let index = 0; index < commands; index++) {
      view.setUint32(index * recordBytes, (first + index) % 1000, true);
      view.setFloat64(index * recordBytes + 8, first + index, true);
    }
    return memory;
  };
}

async function startRow<M extends AnyStateMachine>(
  id: string,
  stateMachine: StateMachineClass<M>,
  stateMachineOptions: unknown,
  loadOf: (client: Client<M>) => Load,
): Promise<Running> {
  const cluster = await Cluster.start<M>({ ...idle, stateMachine, stateMachineOptions });
  const client = await cluster.connect();
  const load = loadOf(client);
  const verify = async () => {
    const learners = (await inspectAtRest(cluster, true)).filter(({ role }) => role === "learner");
    const states = new Set(learners.map(({ stateDigest }) => stateDigest));
    if (states.size !== 1) throw new VerificationError("the learners' states differ");
    checkAudit((await client.query({ op: "audit" } as never)) as Audit, load.acknowledged);
  };
  return { id, load, verify, close: () => cluster.close() };
}
