import { type AnyStateMachine, type Client, Cluster, type ClusterOptions } from "@synod/runtime";
import { withStageTimes } from "@synod/runtime/internal";
import { ByteStore, recordBytes } from "../byte-store.js";
import { loadCommand, payloadsOf } from "../load.js";
import type { ThreadsMode } from "../options.js";
import { VerifyingStore } from "../verifying-store.js";
import { profileLimits } from "./limits.js";
import type { LoadShape } from "./load.js";

export const loadKinds = ["propose", "proposeAll", "bytes"] as const;
type LoadKind = (typeof loadKinds)[number];
export const mailboxKinds = ["ring", "port"] as const;

/** Which cluster is loaded, and with what. */
export interface SubjectOptions {
  readonly load: LoadKind;
  /** Calls under way at once; of loads of many commands, {@link profileLimits.bulk} when left out. */
  readonly clients?: number;
  /** Commands per Accept; they follow the load when left out. */
  readonly batch?: number;
  readonly pipeline: number;
  readonly acceptors: number;
  readonly learners: number;
  readonly threads: ThreadsMode;
  readonly mailbox: (typeof mailboxKinds)[number];
  /** Bytes that each command carries besides, of `--load propose` and `proposeAll`. */
  readonly payload: number;
}

/** A running cluster, a client of this thread, and what it is to be loaded with. */
export interface Subject {
  readonly cluster: Cluster<AnyStateMachine>;
  readonly client: Pick<Client<AnyStateMachine>, "name" | "metrics">;
  readonly load: LoadShape;
}

/** Calls of one client that are under way at once when nobody says how many. */
const clientsDefault = 4096;
/** So that a thread that is interrupted by profilers loses no lease. */
const leaseMs = 5000;

/** `isTimed`: whether batches carry the times of their stages. */
export async function startSubject(options: SubjectOptions, isTimed: boolean): Promise<Subject> {
  return options.load === "bytes" ? startBytes(options, isTimed) : startObjects(options, isTimed);
}

async function startObjects(options: SubjectOptions, isTimed: boolean): Promise<Subject> {
  const cluster = await start<VerifyingStore>(
    { ...settings(options), stateMachine: VerifyingStore },
    isTimed,
  );
  return withClient(cluster, client => {
    const payloads = payloadsOf(options.payload);
    let proposed = 0;
    const next = () => loadCommand(++proposed, payloads);
    if (options.load === "propose") {
      return { call: () => client.propose(next()), commands: 1, callers: options.clients ?? clientsDefault };
    }
    const { calls, commands } = profileLimits.bulk;
    const call = () => client.proposeAll(Array.from({ length: commands }, next));
    return { call, commands, callers: options.clients ?? calls };
  });
}

async function startBytes(options: SubjectOptions, isTimed: boolean): Promise<Subject> {
  const stateMachineOptions = { cells: "array", results: "numbers" } as const;
  const machine = { stateMachine: ByteStore, stateMachineOptions };
  const cluster = await start<ByteStore>({ ...settings(options), ...machine }, isTimed);
  return withClient(cluster, client => {
    const { calls, commands } = profileLimits.bulk;
    let proposed = 0;
    const call = () => {
      const bytes = new Uint8Array(commands * recordBytes);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += recordBytes) {
        view.setUint32(at, ++proposed, true);
        view.setFloat64(at + 8, proposed, true);
      }
      return client.proposeBytes(bytes, { recordBytes });
    };
    return { call, commands, callers: options.clients ?? calls };
  });
}

function start<M extends AnyStateMachine>(options: ClusterOptions<M>, isTimed: boolean): Promise<Cluster<M>> {
  return Cluster.start<M>(isTimed ? withStageTimes(options) : options);
}

async function withClient<M extends AnyStateMachine>(
  cluster: Cluster<M>,
  loadOf: (client: Client<M>) => LoadShape,
): Promise<Subject> {
  try {
    const any = cluster as unknown as Cluster<AnyStateMachine>;
    const client = await cluster.connect();
    return { cluster: any, client, load: loadOf(client) };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

function settings(options: SubjectOptions): Omit<ClusterOptions<AnyStateMachine>, "stateMachine"> {
  const { batch, pipeline, acceptors, learners, threads, mailbox } = options;
  return {
    proposers: 1,
    acceptors,
    learners,
    threads,
    mailbox,
    leaseMs,
    pipeline: { batchesMax: pipeline },
    ...(batch === undefined ? {} : { batch: { commandsMax: batch, adaptive: false } }),
  };
}
