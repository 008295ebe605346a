import { acceptorsMax, type Consistency, majorities, quorumsIntersect } from "@synod/core";
import * as v from "valibot";
import { check } from "./check-options.js";
import { invalid } from "./invalid-option.js";
import { runtimeLimits } from "./limits.js";
import type { AnyStateMachine, StateMachineSource, Synchronous } from "./state-machine.js";

export { invalid };

/**
 * What one acceptor retains, in bytes. Ten seconds of a stalled learner at full speed, and not so much that a few
 * acceptors exhaust a usual machine.
 */
const storageBytesMaxDefault = 256 * 1024 * 1024;

/** What is left to the log between snapshots must fit into an acceptor's storage so many times; for a large state: */
const snapshotsPerStorage = 8;
const largeSnapshotsPerStorage = 4;

/** Which actors share a thread: see {@link ClusterOptions.threads}. */
export type ThreadsMode = "isolated" | "compact" | "single";
const threadsModes: readonly ThreadsMode[] = ["isolated", "compact", "single"];

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const countUpTo = (max: number) => v.optional(count(max));

const schema = v.strictObject({
  stateMachine: v.any(),
  stateMachineOptions: v.optional(v.any()),
  protocol: v.optional(v.picklist(["multi-paxos", "basic-paxos"])),
  proposers: countUpTo(16),
  acceptors: countUpTo(acceptorsMax),
  learners: countUpTo(16),
  quorums: v.optional(v.strictObject({ prepare: count(acceptorsMax), accept: count(acceptorsMax) })),
  batch: v.optional(
    v.strictObject({
      commandsMax: countUpTo(runtimeLimits.clientWindowCommands),
      bytesMax: countUpTo(2 ** 24),
      lingerMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(10_000))),
      adaptive: v.optional(v.boolean()),
    }),
  ),
  pipeline: v.optional(v.strictObject({ batchesMax: countUpTo(4096) })),
  leaseMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(20), v.maxValue(600_000))),
  sessionTimeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(2 ** 31 - 1))),
  distinguishedLearner: v.optional(v.boolean()),
  digest: v.optional(v.boolean()),
  snapshot: v.optional(
    v.strictObject({
      everyCommands: countUpTo(Number.MAX_SAFE_INTEGER),
      everyBytes: countUpTo(runtimeLimits.storageBytesMost),
      tailBytes: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(runtimeLimits.storageBytesMost)),
      ),
    }),
  ),
  storage: v.optional(v.picklist(["shared", "heap"])),
  storageBytesMax: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(runtimeLimits.storageBytesLeast),
      v.maxValue(runtimeLimits.storageBytesMost),
    ),
  ),
  restarts: v.optional(
    v.strictObject({
      max: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000))),
      windowMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1))),
    }),
  ),
  mailbox: v.optional(v.picklist(["ring", "port"])),
  workerUrl: v.optional(v.any()),
  threads: v.optional(v.picklist(threadsModes)),
  trace: v.optional(v.boolean()),
});

/** Options of {@link Cluster.start}. Everything but the state machine has a default. */
// biome-ignore lint/suspicious/noExplicitAny: a URL says nothing about its machine's options
export interface ClusterOptions<M extends AnyStateMachine, Options = any> {
  /** A class with `moduleUrl`, from which all types follow; a URL; or `{ url, export }`. */
  readonly stateMachine: StateMachineSource<M, Options> & Synchronous<M>;
  /** Handed to the state machine's constructor in every learner; must be structured-cloneable. */
  readonly stateMachineOptions?: NoInfer<Options>;
  /** `multi-paxos` (default), or `basic-paxos`: both phases for every instance, as the baseline of measurements. */
  readonly protocol?: "multi-paxos" | "basic-paxos";
  /** How many of each; 2, 3 and 2. */
  readonly proposers?: number;
  readonly acceptors?: number;
  readonly learners?: number;
  /** Acceptors that make up a phase-1 and a phase-2 quorum; majorities. Every pair must intersect. */
  readonly quorums?: { readonly prepare: number; readonly accept: number };
  /**
   * Caps of one Accept message: commands (1,024) and bytes (262,144). Below them its size follows the load, unless
   * `adaptive` is false. A batch that is not full waits for more for `lingerMs` milliseconds (0).
   */
  readonly batch?: {
    readonly commandsMax?: number;
    readonly bytesMax?: number;
    readonly lingerMs?: number;
    readonly adaptive?: boolean;
  };
  /** Accept messages that are under way at once (16); with `batch.adaptive` only full ones beyond the fourth. */
  readonly pipeline?: { readonly batchesMax?: number };
  /**
   * For how long acceptors refuse other proposers after they heard from the leader, in milliseconds (500). When the
   * leader stops, another one is elected within about two leases.
   */
  readonly leaseMs?: number;
  /** A client that is silent for so long, in milliseconds of the log's time, loses its session (60,000). */
  readonly sessionTimeoutMs?: number;
  /** Acceptors tell one learner, which tells the others. Saves messages, costs the others a message delay. Off. */
  readonly distinguishedLearner?: boolean;
  /** Learners get values from the leader, and acceptors send digests instead. Saves bytes. Off. */
  readonly digest?: boolean;
  /**
   * Learners take turns to write a snapshot after so many commands (1,000,000) or bytes of them (2,097,152), whichever
   * comes first. A larger state than `everyBytes` is written less often: the log in between is to weigh as much as the
   * last snapshot, or a quarter of `storageBytesMax`. Acceptors then forget what it holds, but for the last `tailBytes`
   * (524,288), from which a learner that lags a little catches up without it. Neither may exceed an eighth of `storageBytesMax`.
   */
  readonly snapshot?: {
    readonly everyCommands?: number;
    readonly everyBytes?: number;
    readonly tailBytes?: number;
  };
  /**
   * Where acceptors keep what they must not forget: in memory that outlives their threads (`shared`, default), or on
   * their own heaps, to measure against: an acceptor whose thread ends then stays down for good.
   */
  readonly storage?: "shared" | "heap";
  /**
   * What one acceptor retains of the log, in bytes (268,435,456; at least 67,108,864). When snapshots fail for so long
   * that it is full, nothing new is accepted until one succeeds.
   */
  readonly storageBytesMax?: number;
  /**
   * An actor whose thread ends by itself is restarted `max` times (8) within `windowMs` milliseconds (60,000), then
   * given up. Those that `faults.kill` ends do not count.
   */
  readonly restarts?: { readonly max?: number; readonly windowMs?: number };
  /**
   * A thread for each actor (`isolated`, default); one for the proposer, the acceptor and the learner of each number
   * (`compact`); or one for all of them (`single`). Actors that share a thread end and come back together, and their
   * learners share the modules of the state machine, though not its instances.
   */
  readonly threads?: ThreadsMode;
  /** Rings in shared memory (default), or MessagePorts. */
  readonly mailbox?: "ring" | "port";
  /**
   * For bundled programs: the module that the actors' threads run, an entry of the bundle that consists of
   * `@synod/runtime/actor-entry`. A URL or its text. Left out, it is found beside the installed package.
   */
  readonly workerUrl?: URL | string;
  /** Counts message delays per instance and remembers sent frames, which costs throughput. Off. */
  readonly trace?: boolean;
}

export interface ResolvedOptions {
  readonly protocol: "multi-paxos" | "basic-paxos";
  readonly proposers: number;
  readonly acceptors: number;
  readonly learners: number;
  readonly quorums: { readonly prepare: number; readonly accept: number };
  readonly batch: {
    readonly commandsMax: number;
    readonly bytesMax: number;
    readonly lingerMs: number;
    readonly adaptive: boolean;
  };
  readonly pipeline: { readonly batchesMax: number };
  readonly leaseMs: number;
  readonly sessionTimeoutMs: number;
  readonly distinguishedLearner: boolean;
  readonly digest: boolean;
  readonly snapshot: {
    readonly everyCommands: number;
    readonly everyBytes: number;
    readonly bytesMax: number;
    readonly tailBytes: number;
  };
  readonly storage: "shared" | "heap";
  readonly storageBytesMax: number;
  readonly restarts: { readonly max: number; readonly windowMs: number };
  readonly mailbox: "ring" | "port";
  readonly workerUrl: string | undefined;
  readonly threads: ThreadsMode;
  readonly trace: boolean;
  /** Whether batches carry the times at which they pass their stages: see {@link withStageTimes}. */
  readonly stages: boolean;
}

const withStages = new WeakSet<object>();

/**
 * Has a cluster that is started with these options time the stages of batches, for `watchStages`. No
 * option of its own: what it tells belongs to the benchmark. Nothing of it happens with `trace`, nor to batches that a
 * distinguished learner tells of.
 */
export function withStageTimes<O extends object>(options: O): O {
  withStages.add(options);
  return options;
}

/** Checks the options and fills in defaults. @throws SynodError `INVALID_OPTIONS` */
export function resolveOptions<M extends AnyStateMachine>(options: ClusterOptions<M>): ResolvedOptions {
  check(schema, options);
  const acceptors = options.acceptors ?? 3;
  const storageBytes = options.storageBytesMax ?? storageBytesMaxDefault;
  // A region of memory has a multiple of eight.
  const storageBytesMax = storageBytes - (storageBytes % 8);
  const quorums = options.quorums ?? majorities(acceptors);
  for (const phase of ["prepare", "accept"] as const) {
    if (quorums[phase] > acceptors) {
      throw invalid(`quorums.${phase}`, quorums[phase], `at most the number of acceptors, ${acceptors}`);
    }
  }
  if (!quorumsIntersect(acceptors, quorums)) {
    const allowed = `prepare + accept greater than ${acceptors}, so that every phase-1 quorum meets every phase-2 quorum`;
    throw invalid("quorums", quorums, allowed);
  }
  return {
    protocol: options.protocol ?? "multi-paxos",
    proposers: options.proposers ?? 2,
    acceptors,
    learners: options.learners ?? 2,
    quorums,
    batch: {
      commandsMax: options.batch?.commandsMax ?? 1024,
      bytesMax: options.batch?.bytesMax ?? 262_144,
      lingerMs: options.batch?.lingerMs ?? 0,
      adaptive: options.batch?.adaptive ?? true,
    },
    pipeline: { batchesMax: options.pipeline?.batchesMax ?? 16 },
    leaseMs: options.leaseMs ?? 500,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 60_000,
    distinguishedLearner: options.distinguishedLearner ?? false,
    digest: options.digest ?? false,
    snapshot: resolveSnapshot(options.snapshot ?? {}, storageBytesMax),
    storage: options.storage ?? "shared",
    storageBytesMax,
    restarts: { max: options.restarts?.max ?? 8, windowMs: options.restarts?.windowMs ?? 60_000 },
    mailbox: options.mailbox ?? "ring",
    workerUrl: resolveWorkerUrl(options.workerUrl),
    threads: options.threads ?? "isolated",
    trace: options.trace ?? false,
    stages: withStages.has(options),
  };
}

function resolveWorkerUrl(given: unknown): string | undefined {
  if (given === undefined) return undefined;
  const text = given instanceof URL ? given.href : given;
  if (typeof text === "string" && URL.canParse(text)) return new URL(text).href;
  throw invalid("workerUrl", given, `a URL, such as new URL("./actor.js", import.meta.url)`);
}

type Snapshots = NonNullable<ClusterOptions<AnyStateMachine>["snapshot"]>;

/** A small storage makes the defaults smaller. */
function resolveSnapshot(given: Snapshots, storageBytesMax: number): ResolvedOptions["snapshot"] {
  const bytesMax = Math.floor(storageBytesMax / snapshotsPerStorage);
  for (const name of ["everyBytes", "tailBytes"] as const) {
    const bytes = given[name] ?? 0;
    if (bytes > bytesMax) {
      const allowed = `at most an eighth of storageBytesMax, ${bytesMax}`;
      throw invalid(`snapshot.${name}`, bytes, allowed);
    }
  }
  const everyBytes = given.everyBytes ?? Math.min(2 * 1024 * 1024, bytesMax);
  const tailBytes = given.tailBytes ?? Math.min(512 * 1024, bytesMax / 4);
  const everyCommands = given.everyCommands ?? 1_000_000;
  return { everyCommands, everyBytes, bytesMax: storageBytesMax / largeSnapshotsPerStorage, tailBytes };
}

/** Options of one propose or query. */
export interface CallOptions {
  /** Ends the wait, not the command: see the error's `outcome`. */
  readonly signal?: AbortSignal;
  /** 10,000 when left out. */
  readonly timeoutMs?: number;
}

/** Options of {@link Client.proposeBytes}: where each command begins, and those of any call. */
export type BytesOptions = CallOptions &
  (
    | {
        /** All commands are so many bytes long. */
        readonly recordBytes: number;
        readonly offsets?: undefined;
      }
    | {
        /** Where each command begins: ascending, the first at 0. The last one ends where the bytes end. */
        readonly offsets: ArrayLike<number>;
        readonly recordBytes?: undefined;
      }
  );

/** Options of one query. */
export interface QueryOptions extends CallOptions {
  /**
   * `sequential` (default): sees everything that this client was told before, and never goes back. `linearizable`:
   * sees everything that any client was told before the call; asks the leader first.
   */
  readonly consistency?: Consistency;
}

const callEntries = {
  signal: v.optional(v.instance(AbortSignal)),
  timeoutMs: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(2 ** 31 - 1))),
};
const callSchema = v.strictObject(callEntries);
const querySchema = v.strictObject({
  ...callEntries,
  consistency: v.optional(v.picklist(["sequential", "linearizable"])),
});

/** @throws SynodError `INVALID_OPTIONS` */
export function checkCallOptions(options: CallOptions): void {
  check(callSchema, options);
}

/** @throws SynodError `INVALID_OPTIONS` */
export function checkQueryOptions(options: QueryOptions): void {
  check(querySchema, options);
}

/** Options of one wait of a {@link Replica}. */
export interface WaitOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** 10,000 when left out. */
  readonly timeoutMs?: number;
}

/** Options of {@link joinReplica}. */
export interface JoinOptions {
  /** Gives up joining. */
  readonly signal?: AbortSignal;
  /** How long joining may take, in milliseconds; 30,000 when left out. */
  readonly timeoutMs?: number;
  /**
   * What the replica remembers of the log for {@link Replica.entries}: so many commands (16,384), which took so many
   * bytes (4,194,304) in the log. Decoded they take a few times as much.
   */
  readonly entries?: { readonly commandsMax?: number; readonly bytesMax?: number };
}

export const entriesDefault = { commandsMax: 16_384, bytesMax: 4 * 1024 * 1024 } as const;

const joinSchema = v.strictObject({
  ...callEntries,
  entries: v.optional(
    v.strictObject({
      commandsMax: countUpTo(2 ** 24),
      bytesMax: countUpTo(2 ** 32),
    }),
  ),
});

/** @throws SynodError `INVALID_OPTIONS` */
export function checkJoinOptions(options: JoinOptions): void {
  check(joinSchema, options);
}

/** Options of {@link Replica.entries}. */
export interface EntriesOptions {
  /** The first instance that is wanted; when left out, what is applied from now on. */
  readonly from?: number;
  /** Ends the iteration, with an error `ABORTED`. */
  readonly signal?: AbortSignal;
}

const entriesSchema = v.strictObject({
  from: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  signal: callEntries.signal,
});

/** @throws SynodError `INVALID_OPTIONS` */
export function checkEntriesOptions(options: EntriesOptions): void {
  check(entriesSchema, options);
}

const stallMs = v.strictObject({
  ms: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(600_000)),
});

/** @throws SynodError `INVALID_OPTIONS` */
export function checkStall(options: { readonly ms: number }): void {
  check(stallMs, options);
}
