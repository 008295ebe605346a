/**
 * Everything that is counted and measured: one table from which the types of `cluster.metrics()`, the memory behind
 * it and the names for Prometheus follow.
 *
 * A name ends with its unit: `Ms` for milliseconds, `Bytes`; without one it counts. For Prometheus, `acceptMs` becomes
 * `synod_accept_seconds` and `sentBytes` becomes `synod_sent_bytes_total`.
 */

/** A counter never goes back, whatever becomes of threads. A gauge goes up and down. A histogram is a {@link Histogram}. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** What is known of a metric before it has a value. */
export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly help: string;
}

type Of<Kind extends MetricKind> = MetricDefinition & { readonly kind: Kind };

const counter = (help: string): Of<"counter"> => ({ kind: "counter", help });
const gauge = (help: string): Of<"gauge"> => ({ kind: "gauge", help });
const histogram = (help: string): Of<"histogram"> => ({ kind: "histogram", help });

export const clusterMetrics = {
  commits: counter("Commands that took effect, each once."),
  leaderChanges: counter(
    "Proposers that were elected after another one, or after another life of the same one.",
  ),
  divergences: counter("Times that learners were found to differ: the state machine is not deterministic."),
  connectedClients: gauge("Clients that are connected, on all threads of the process."),
} as const;

/** Of every actor, whatever its role. */
export const actorMetrics = {
  up: gauge("1 when the actor's thread has started and answers, otherwise 0."),
  restarts: counter("Times that the actor's thread was replaced."),
  mailboxDepthBytes: gauge("Bytes that wait in the actor's mailbox."),
  mailboxDepthBytesMax: gauge("The most that was ever seen to wait in the actor's mailbox."),
  receivedFrames: counter("Frames that the actor has taken from its mailbox."),
  receivedBytes: counter("Bytes of the frames that the actor has taken from its mailbox."),
  sentFrames: counter("Frames that the actor has written, to each receiver."),
  sentBytes: counter("Bytes of the frames that the actor has written, to each receiver."),
  droppedFrames: counter("Frames that found no room at their receiver. The protocol repairs the loss."),
  wakeUps: counter("Times that the sleeping actor was woken."),
  lostWakeUps: counter("Times that the actor slept on though a frame was announced. 0, or a bug."),
  turnMs: histogram(
    "For how long the actor, or its thread's event loop, was at work at a time; long ones are stalls.",
  ),
} as const;

export const proposerMetrics = {
  leads: gauge("1 when the proposer leads, as far as it knows, otherwise 0."),
  ballotRound: gauge("The round of the ballot that it leads in, or of the highest that it heard of."),
  ballots: counter("Ballots in which it has tried to lead."),
  elections: counter("Ballots in which it was elected. With Basic Paxos there is one for each batch."),
  leaseLeftMs: gauge("A leader: for how much longer nobody else can be elected; 0 without a lease."),
  chosenBelow: gauge("Every instance below is known to be chosen."),
  queuedCommands: gauge("Commands that wait at the proposer for a place in the pipeline."),
  batchCommands: histogram("Commands of a batch, with what opens sessions and keeps them alive."),
  batchBytes: histogram("Bytes of a batch's commands."),
  queueMs: histogram(
    "A leader: from when a command comes until it leaves in a batch, of one command at a time.",
  ),
  chooseMs: histogram(
    "A leader: from when a batch leaves until the leader knows that it is chosen, which may be when it next wakes up.",
  ),
} as const;

export const acceptorMetrics = {
  acceptedBatches: counter("Batches that the acceptor has accepted."),
  acceptedCommands: counter("Commands in batches that the acceptor has accepted."),
  storageBytes: gauge("What the acceptor retains of the log."),
  storageBytesMax: gauge("The most that the acceptor may retain."),
  acceptMs: histogram("From when a batch leaves the leader until the acceptor takes it from its mailbox."),
} as const;

export const learnerMetrics = {
  chosenBelow: gauge("Every instance below is known to be chosen."),
  appliedBelow: gauge("Every instance below is applied."),
  appliedCommands: counter(
    "Commands that its state machine has been through, those in a restored snapshot included.",
  ),
  appliedBatches: counter("Batches, or parts of them, that it has applied, in all its lives."),
  queries: counter("Queries that it was asked."),
  sessions: gauge("Sessions that are open."),
  backlogBytes: gauge("What is chosen and waits to be applied."),
  digestMismatches: counter("Values that were not what their digests say. None of them was used."),
  replicas: gauge("Replicas in threads of the process that it has heard of lately."),
  replicasBehindInstancesMax: gauge(
    "Instances that it has applied and the last of these replicas had not, when that told of itself last.",
  ),
  snapshotBytes: gauge("Size of the snapshot that it has published last; 0 without one."),
  snapshotsTaken: counter("Snapshots that it has published."),
  snapshotsRestored: counter("Snapshots that it has restored."),
  snapshotsFailed: counter("Times that the state machine's snapshot() or restore() failed."),
  learnMs: histogram(
    "From when the learner first hears of a batch until it is chosen and nothing is missing below.",
  ),
  applyMs: histogram("From when a batch is chosen until it is applied."),
  snapshotMs: histogram("How long it took to write a snapshot. The learner applies nothing meanwhile."),
  restoreMs: histogram("How long it took to restore a snapshot. The learner applies nothing meanwhile."),
} as const;

/** Of a client of the thread that looks. */
export const clientMetrics = {
  openCommands: gauge("Promises of commands that are open; a call with many commands has one."),
  queuedCommands: gauge("Commands that wait to be sent."),
  queuedBytes: gauge("Upper bound of the bytes of commands that wait to be sent."),
  openQueries: gauge("Queries whose promises are open."),
  sentCommands: counter("Commands that were sent to the leader, each once."),
  answeredCommands: counter("Commands that were answered by a learner."),
  lateCommands: counter("Commands that were sent and had no answer by their deadlines."),
  sentFrames: counter("Frames that the client has written, to each receiver."),
  sentBytes: counter("Bytes of the frames that the client has written, to each receiver."),
  droppedFrames: counter("Frames that found no room at their receiver; they are kept, or sent again."),
  wakeUps: counter("Times that the sleeping client was woken."),
  lostWakeUps: counter("Times that the client slept on though a frame was announced. 0, or a bug."),
  proposeMs: histogram("From a call of propose() until its answer, of one command at a time."),
  proposeAllMs: histogram(
    "From a call of proposeAll() or proposeBytes() until its answer, of one call at a time.",
  ),
  queryMs: histogram("From a call of query() until its answer, of one query at a time."),
} as const;

export const roleMetrics = {
  proposer: proposerMetrics,
  acceptor: acceptorMetrics,
  learner: learnerMetrics,
} as const;

type Definitions = Readonly<Record<string, MetricDefinition>>;

/** The names in a table of so many kinds. */
type NamesOf<Table extends Definitions, Kind extends MetricKind> = {
  [Name in keyof Table]: Table[Name]["kind"] extends Kind ? Name : never;
}[keyof Table];

const actorTables = [actorMetrics, proposerMetrics, acceptorMetrics, learnerMetrics] as const;
type ActorTable = (typeof actorTables)[number];
type NamesInAny<Table, Kind extends MetricKind> = Table extends Definitions ? NamesOf<Table, Kind> : never;

export type ActorCounter = NamesInAny<ActorTable, "counter">;
export type ActorHistogram = NamesInAny<ActorTable, "histogram">;

const namesOf = (kind: MetricKind): string[] =>
  actorTables.flatMap((table: Definitions) =>
    Object.entries(table).flatMap(([name, definition]) => (definition.kind === kind ? [name] : [])),
  );

/** Of all roles, in an order that is the same on all threads. */
export const actorCounterNames = namesOf("counter") as ActorCounter[];
export const actorHistogramNames = namesOf("histogram") as ActorHistogram[];

/** A metric's name without its unit, and the unit. */
export function unitOf(name: string): { readonly stem: string; readonly unit: "ms" | "bytes" | "none" } {
  const [, stem = name, unit] = /^(.+?)(Ms|Bytes)?(?:Max)?$/.exec(name) ?? [];
  return { stem, unit: unit === "Ms" ? "ms" : unit === "Bytes" ? "bytes" : "none" };
}
