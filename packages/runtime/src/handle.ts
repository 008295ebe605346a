import { randomUUID } from "node:crypto";
import { types } from "node:util";
import type { Address, Topology } from "@synod/core";
import * as v from "valibot";
import { SynodError } from "./errors.js";
import type { Doorbell } from "./mailbox/index.js";
import type { ResolvedOptions } from "./options.js";
import type { SnapshotRegion } from "./snapshots/index.js";
import type { AnyStateMachine } from "./state-machine.js";

/** Only in types: carries the machine from `cluster.handle()` to `connect()`. */
declare const machineOf: unique symbol;

/** An actor that clients talk to, and the doorbell that makes it look at the channel. */
export interface Entrance {
  readonly name: Address;
  readonly doorbell: Doorbell;
}

/**
 * The way into a cluster for any thread of its process: see {@link Cluster.handle}. To be cloned or posted, and
 * given to {@link connect}; what is in it may change in any version.
 */
export interface ClusterHandle<M extends AnyStateMachine = AnyStateMachine> {
  readonly [machineOf]?: M;
  /** The name of the BroadcastChannel that carries announcements. */
  readonly channel: string;
  readonly memory: SharedArrayBuffer;
  readonly topology: Topology;
  readonly options: ResolvedOptions;
  readonly entrances: readonly Entrance[];
  /** What only replicas need besides: the acceptors, and the memory of the learners' snapshots. */
  readonly forReplicas: ForReplicas;
}

export interface ForReplicas {
  readonly acceptors: readonly Entrance[];
  readonly snapshotRegions: readonly SnapshotRegion[];
}

/** Tells this memory from any other. */
const MARK = 0;
const CLOSED = 1;
const CLIENTS = 2;
const CLUSTER_BYTES = 12;
const mark = 0x53594e4f;

/** The words that all threads with a handle share. */
export class ClusterWords {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  get isClosed(): boolean {
    return Atomics.load(this.#words, CLOSED) !== 0;
  }

  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
  }

  /** From 1; a number is never given out twice, so neither is the address of a client or a replica. */
  takeClientNumber(): number {
    return Atomics.add(this.#words, CLIENTS, 1) + 1;
  }
}

export function createHandle(
  topology: Topology,
  options: ResolvedOptions,
  entrances: readonly Entrance[],
  forReplicas: ForReplicas = { acceptors: [], snapshotRegions: [] },
): ClusterHandle {
  const memory = new SharedArrayBuffer(CLUSTER_BYTES);
  new Int32Array(memory)[MARK] = mark;
  return { channel: `synod ${randomUUID()}`, memory, topology, options, entrances, forReplicas };
}

const sharedMemory = v.custom<SharedArrayBuffer>(types.isSharedArrayBuffer);
const number = v.number();
const entrances = v.array(v.object({ name: v.string(), doorbell: v.object({ memory: sharedMemory }) }));
const schema = v.object({
  channel: v.string(),
  memory: v.pipe(
    sharedMemory,
    v.check(memory => memory.byteLength === CLUSTER_BYTES && new Int32Array(memory)[MARK] === mark),
  ),
  topology: v.object({ proposers: number, acceptors: number, learners: number }),
  options: v.object({
    batch: v.object({ commandsMax: number, bytesMax: number, lingerMs: number, adaptive: v.boolean() }),
    sessionTimeoutMs: number,
    distinguishedLearner: v.boolean(),
    trace: v.boolean(),
  }),
  entrances,
  forReplicas: v.object({
    acceptors: entrances,
    snapshotRegions: v.array(
      v.object({ control: sharedMemory, slots: v.tuple([sharedMemory, sharedMemory]) }),
    ),
  }),
});

/** @throws SynodError `INVALID_OPTIONS` for anything but a handle, `CLUSTER_CLOSED` */
export function checkHandle(handle: unknown): void {
  const checked = v.safeParse(schema, handle);
  if (!checked.success) {
    const message =
      "the handle is not one of a cluster of this process: give what cluster.handle() returned, or a clone of it";
    throw new SynodError("INVALID_OPTIONS", message, { path: "handle" });
  }
  if (!new ClusterWords(checked.output.memory).isClosed) return;
  const message = "the cluster of this handle is closed: start a new one, and post its handle";
  throw new SynodError("CLUSTER_CLOSED", message, { outcome: "not-applied" });
}
