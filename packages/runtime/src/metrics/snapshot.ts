import type { ActorStatus } from "../actor-status.js";
import type { ActorMetrics } from "./actor-metrics.js";
import {
  type ActorCounter,
  type ActorHistogram,
  type acceptorMetrics,
  actorMetrics,
  type clientMetrics,
  type clusterMetrics,
  type learnerMetrics,
  type MetricDefinition,
  type MetricKind,
  type proposerMetrics,
  roleMetrics,
} from "./definitions.js";
import type { EventLoopDelay } from "./event-loop-delay.js";
import type { HistogramSnapshot } from "./histogram.js";

interface ValueOf {
  readonly counter: number;
  /** Null where only the actor's thread could tell, which is down or does not answer. */
  readonly gauge: number | null;
  readonly histogram: HistogramSnapshot;
}

type Values<Table extends Readonly<Record<string, MetricDefinition>>> = {
  readonly [Name in keyof Table]: ValueOf[Table[Name]["kind"] & MetricKind];
};

/** What a proposer has counted: see {@link ActorMetricsSnapshot}. */
export type ProposerMetricsSnapshot = { readonly name: string; readonly role: "proposer" } & Values<
  typeof actorMetrics & typeof proposerMetrics
>;
/** What an acceptor has counted: see {@link ActorMetricsSnapshot}. */
export type AcceptorMetricsSnapshot = { readonly name: string; readonly role: "acceptor" } & Values<
  typeof actorMetrics & typeof acceptorMetrics
>;
/** What a learner has counted: see {@link ActorMetricsSnapshot}. */
export type LearnerMetricsSnapshot = { readonly name: string; readonly role: "learner" } & Values<
  typeof actorMetrics & typeof learnerMetrics
>;

/**
 * What an actor has counted since the cluster was started, in all its lives, and its gauges. A gauge is null while the
 * actor is down or does not answer.
 */
export type ActorMetricsSnapshot = ProposerMetricsSnapshot | AcceptorMetricsSnapshot | LearnerMetricsSnapshot;

/** What a client has counted since it was made: see {@link Client.metrics}. */
export type ClientMetricsSnapshot = { readonly name: string } & Values<typeof clientMetrics>;

/** What `cluster.metrics()` resolves with: plain data, of which the names stay. */
export type ClusterMetrics = Values<typeof clusterMetrics> & {
  readonly actors: readonly ActorMetricsSnapshot[];
  /** Those that `cluster.connect()` made and that are open; others tell by `client.metrics()` on their threads. */
  readonly clients: readonly ClientMetricsSnapshot[];
  /** How late this thread's event loop was since somebody last looked; null at a first look. */
  readonly eventLoopDelay: EventLoopDelay | null;
};

/** What only somebody else than the actor counts. */
type Gauges = Readonly<Record<string, number | null>>;

export function snapshotOfActor(metrics: ActorMetrics, status: ActorStatus): ActorMetricsSnapshot {
  const { name, role } = status;
  const told: Gauges = {
    ...gaugesOf(status),
    mailboxDepthBytesMax: metrics.depthBytesMax,
    restarts: status.restarts,
    lostWakeUps: status.lostWakeUps,
  };
  const values: Record<string, unknown> = { name, role };
  for (const [metric, { kind }] of Object.entries({ ...actorMetrics, ...roleMetrics[role] })) {
    if (metric in told) values[metric] = told[metric];
    else if (kind === "histogram") values[metric] = metrics.histogram(metric as ActorHistogram).read();
    else if (kind === "counter") values[metric] = metrics.counter(metric as ActorCounter).value;
    else values[metric] = null;
  }
  return values as ActorMetricsSnapshot;
}

/** They tell of themselves three times a second: one that keeps up seems to be behind by what is applied in between. */
function gaugesOfReplicas({
  appliedBelow,
  replicas,
}: Pick<ActorStatus, "appliedBelow" | "replicas">): Gauges {
  if (typeof appliedBelow !== "number" || replicas === undefined) return {};
  const behind = replicas.map(replica => appliedBelow - replica.appliedBelow);
  return { replicas: replicas.length, replicasBehindInstancesMax: Math.max(0, ...behind) };
}

/** What an actor says of itself; only `up` when it says nothing. */
function gaugesOf({ role, state, mailbox, ...status }: ActorStatus): Gauges {
  if (mailbox === undefined) return { up: 0 };
  const common = { up: 1, mailboxDepthBytes: mailbox.depthBytes };
  const { ballot, chosenBelow = null, appliedBelow = null } = status;
  switch (role) {
    case "proposer":
      return {
        ...common,
        leads: state === "leading" ? 1 : 0,
        ballotRound: ballot?.round ?? null,
        leaseLeftMs: status.leaseLeftMs ?? 0,
        chosenBelow,
        queuedCommands: status.queuedCommands ?? null,
      };
    case "acceptor":
      return {
        ...common,
        storageBytes: status.storage?.bytes ?? null,
        storageBytesMax: status.storage?.bytesMax ?? null,
      };
    case "learner":
      return {
        ...common,
        chosenBelow,
        appliedBelow,
        sessions: status.sessions ?? null,
        backlogBytes: status.backlogBytes ?? null,
        ...gaugesOfReplicas(status),
        snapshotBytes: status.snapshot?.bytes ?? 0,
      };
  }
}
