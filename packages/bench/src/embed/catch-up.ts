import { type Client, Cluster } from "@synod/runtime";
import { commandCodec } from "@synod/runtime/internal";
import { checkAudit, inspectAtRest } from "../cluster-subject.js";
import { VerificationError } from "../experiment.js";
import { type LoadCommand, loadCommand } from "../load.js";
import { median } from "../results/statistics.js";
import { type Audit, VerifyingStore } from "../verifying-store.js";
import type { JoinAnswer, JoinsSpec, JoinTask } from "./joins-worker.js";
import type { ThreadsMode } from "./latency.js";
import { PacedLoad } from "./paced-load.js";
import { openThread } from "./thread.js";
import type { TurnFigures } from "./turn-probe.js";

export interface CatchUpOptions {
  /** Commands that are in the log, or in a snapshot and the log, before anybody joins. */
  readonly commands: number;
  /** Different keys that they set: what a snapshot holds. */
  readonly keys: number;
  /** Joins of each kind with a probe, and as many without. */
  readonly repeats: number;
  readonly besidePerSecond: number;
  readonly threads: ThreadsMode;
}

/** Of several joins, each with its longest: the median and the worst, in milliseconds. */
export interface Longest {
  readonly median: number;
  readonly worst: number;
}

/** Replicas that joined, one after the other, in a thread of their own; medians of those without a probe. */
export interface CatchUpRow {
  readonly id: string;
  readonly durationMs: number;
  /** Instances that the replica is ahead of nothing by, per second, however it came by them. */
  readonly instancesPerSecond: number;
  /** Of the log, or of the snapshot and the log behind it, in megabytes (10^6 bytes) per second. */
  readonly megabytesPerSecond: number;
  /** Commands that were applied one by one. */
  readonly commandsOfLog: number;
  /** Turns of the event loop in the joins with a probe. */
  readonly longestTurnMs: Longest;
  /** How long the thread had a core in one turn; null where the operating system does not say. */
  readonly longestRanMs: Longest | null;
  /** What the replica itself took of one turn. */
  readonly longestSliceMs: Longest;
  readonly longestCollectionMs: Longest;
  /** Turns of a thread in which nobody joins, for as long, beside the same load. */
  readonly longestTurnOfNothingMs: Longest;
  readonly joins: readonly JoinAnswer[];
}

const commandsPerCall = 1000;
/** Nothing is written to a snapshot: the log has room for all. */
const logOnly = { everyBytes: 32 * 1024 * 1024, everyCommands: Number.MAX_SAFE_INTEGER };
/** A snapshot at four fifths of the commands leaves a fifth to the log. */
const snapshotAt = 0.8;

interface Source {
  readonly id: string;
  readonly isFromSnapshot: boolean;
  readonly cluster: Cluster<VerifyingStore>;
  readonly client: Client<VerifyingStore>;
  readonly paced: PacedLoad;
  readonly bytesPerCommand: number;
  readonly join: (task: JoinTask) => Promise<JoinAnswer>;
  readonly close: () => Promise<void>;
}

/** How many steps {@link measureCatchUp} will report. */
export const catchUpSteps = ({ repeats }: Pick<CatchUpOptions, "repeats">): number => 2 + repeats * 4;

/** Replicas join from the log, and from a snapshot and the log, with and without commits beside. @throws VerificationError */
export async function measureCatchUp(
  options: CatchUpOptions,
  onStep: (what: string) => void,
): Promise<CatchUpRow[]> {
  const sources: Source[] = [];
  try {
    for (const isFromSnapshot of [false, true]) {
      sources.push(await openSource(isFromSnapshot, options));
      onStep(`${sources.at(-1)!.id}: filled`);
    }
    const kinds = [false, true].flatMap(isBeside =>
      sources.map(source => ({ source, isBeside, joins: [] as JoinAnswer[], nothing: [] as JoinAnswer[] })),
    );
    for (let repeat = 0; repeat < options.repeats; repeat++) {
      for (const { source, isBeside, joins, nothing } of kinds) {
        if (isBeside) source.paced.start();
        for (const isProbed of [false, true]) joins.push(await joined(source, { isProbed }, options));
        nothing.push(await source.join({ isProbed: true, nothingForMs: joins.at(-1)!.durationMs }));
        if (isBeside) await source.paced.stop();
        onStep(`${source.id}: join ${repeat + 1}`);
      }
    }
    const rows: CatchUpRow[] = [];
    for (const { source, isBeside, joins, nothing } of kinds) {
      const { snapshotBytes } = await stateOf(source.cluster);
      const id = isBeside ? `${source.id}, commits beside` : source.id;
      rows.push(summary(id, joins, nothing, source.bytesPerCommand, snapshotBytes));
    }
    for (const { client, paced } of sources) {
      checkAudit((await client.query({ op: "audit" })) as Audit, options.commands + paced.acknowledged);
    }
    return rows;
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}

async function openSource(isFromSnapshot: boolean, options: CatchUpOptions): Promise<Source> {
  const { commands, besidePerSecond, threads } = options;
  const everyCommands = Math.floor(commands * snapshotAt);
  const snapshot = isFromSnapshot ? { ...logOnly, everyCommands } : logOnly;
  const cluster = await Cluster.start({ stateMachine: VerifyingStore, snapshot, threads });
  try {
    const client = await cluster.connect();
    const bytes = await fill(client, options);
    if (isFromSnapshot) await snapshotTaken(cluster);
    const thread = openThread<JoinTask, JoinAnswer>("./joins-worker.js", {
      handle: cluster.handle(),
    } satisfies JoinsSpec);
    const propose = (command: LoadCommand) => client.propose({ ...command, value: commands + command.value });
    return {
      id: isFromSnapshot ? "snapshot and log" : "log",
      isFromSnapshot,
      cluster,
      client,
      paced: new PacedLoad(propose, besidePerSecond),
      bytesPerCommand: bytes / commands,
      join: task => thread.ask(task),
      close: async () => {
        await thread.close();
        await cluster.close();
      },
    };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** Returns how many bytes the commands take in the log. */
async function fill(
  client: Client<VerifyingStore>,
  { commands, keys }: Pick<CatchUpOptions, "commands" | "keys">,
): Promise<number> {
  let bytes = 0;
  for (let first = 1; first <= commands; first += commandsPerCall) {
    const count = Math.min(commandsPerCall, commands - first + 1);
    const list = Array.from({ length: count }, (_, index) => {
      const command = loadCommand(first + index);
      return { ...command, key: `key${command.value % keys}` };
    });
    bytes += commandCodec.encode(list).byteLength;
    await client.proposeAll(list);
  }
  return bytes;
}

async function stateOf(cluster: Cluster<VerifyingStore>): Promise<{ readonly snapshotBytes: number }> {
  const { actors } = await cluster.status();
  const bytes = actors.map(actor => ("snapshot" in actor ? (actor.snapshot?.bytes ?? 0) : 0));
  return { snapshotBytes: Math.max(0, ...bytes) };
}

async function snapshotTaken(cluster: Cluster<VerifyingStore>): Promise<void> {
  await inspectAtRest(cluster, false);
  const giveUpAt = performance.now() + 30_000;
  while ((await stateOf(cluster)).snapshotBytes === 0) {
    if (performance.now() > giveUpAt) throw new VerificationError("no learner has written a snapshot");
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** One join; it must have come the way that its row speaks of, and have everything. */
async function joined(source: Source, task: JoinTask, options: CatchUpOptions): Promise<JoinAnswer> {
  const answer = await source.join(task);
  if (answer.hasRestored !== source.isFromSnapshot) {
    throw new VerificationError(`a replica that was to join from ${source.id} did not`);
  }
  if (answer.instances < options.commands || answer.keys < Math.min(options.keys, options.commands)) {
    throw new VerificationError(`a replica had joined with ${answer.instances} instances only`);
  }
  return answer;
}

function summary(
  id: string,
  joins: readonly JoinAnswer[],
  nothing: readonly JoinAnswer[],
  bytesPerCommand: number,
  snapshotBytes: number,
): CatchUpRow {
  const plain = joins.filter(({ turns }) => turns === null);
  const probed = joins.filter(({ turns }) => turns !== null);
  const of = (pick: (join: JoinAnswer) => number) => median(plain.map(pick))!;
  const bytesOf = ({ hasRestored, commandsOfLog }: JoinAnswer) =>
    commandsOfLog * bytesPerCommand + (hasRestored ? snapshotBytes : 0);
  return {
    id,
    durationMs: of(({ durationMs }) => durationMs),
    instancesPerSecond: of(({ instances, durationMs }) => (1000 * instances) / durationMs),
    megabytesPerSecond: of(join => bytesOf(join) / 1000 / join.durationMs),
    commandsOfLog: of(({ commandsOfLog }) => commandsOfLog),
    longestTurnMs: longestOf(turnsOf(joins, ({ turnMs }) => turnMs))!,
    longestRanMs: longestOf(turnsOf(joins, ({ ranMs }) => ranMs)),
    longestSliceMs: longestOf(probed.map(({ longestSliceMs }) => longestSliceMs))!,
    longestCollectionMs: longestOf(turnsOf(joins, ({ collectionMs }) => collectionMs))!,
    longestTurnOfNothingMs: longestOf(turnsOf(nothing, ({ turnMs }) => turnMs))!,
    joins,
  };
}

/** Of the joins with a probe. */
function turnsOf(joins: readonly JoinAnswer[], pick: (turns: TurnFigures) => number | null): number[] {
  return joins.flatMap(({ turns }) => (turns === null ? [] : (pick(turns) ?? [])));
}

function longestOf(values: readonly number[]): Longest | null {
  return values.length === 0 ? null : { median: median(values)!, worst: Math.max(...values) };
}
