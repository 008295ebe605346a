import { writeFile } from "node:fs/promises";
import { type Client, Cluster, type Inspection } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import { inspectAtRest } from "../cluster-subject.js";
import { VerificationError } from "../experiment.js";
import { countFrames, type RecordedFrame } from "../message-groups.js";
import { type ChartColumn, renderChart } from "../sequence-chart.js";
import { renderCounts, type TracedPart } from "../traced-instances.js";
import { VerifyingStore } from "../verifying-store.js";

type Protocol = TracedPart["protocol"];

export interface TraceOptions {
  readonly protocol: Protocol | "both";
  readonly acceptors: number;
  readonly learners: number;
  /** Commands that Multi-Paxos is given, one after the other, then as many at once; Basic Paxos gets one. */
  readonly commands: number;
  readonly distinguishedLearner: boolean;
  readonly digest: boolean;
  /** Where the recorded frames go. */
  readonly json?: string | undefined;
}

/** What one protocol did. */
interface TracedProtocol {
  readonly protocol: Protocol;
  readonly columns: readonly ChartColumn[];
  readonly parts: readonly TracedPart[];
  /** All that was recorded, in the order of sending. */
  readonly frames: readonly RecordedFrame[];
}

/** Commands that were proposed together, from before the first call until the last answer. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly commands: number;
}

const titles: Record<Protocol, string> = {
  "basic-paxos": "Basic Paxos",
  "multi-paxos": "Multi-Paxos",
};

const legend = `delay: length of the chain of messages from the leader's first one for an instance.
delays: the same up to the quorum of the learner that answers; beside it, of the learner that knows last.
messages: Prepare, Promise, Accept, Accepted and Chosen.
A ballot is round.incarnation.proposer. V1 is the value that is chosen for instance 1`;

/** Runs real clusters with traced frames, and shows what was sent as sequence charts. @throws VerificationError */
export async function runTrace(options: TraceOptions): Promise<void> {
  const protocols: Protocol[] =
    options.protocol === "both" ? ["basic-paxos", "multi-paxos"] : [options.protocol];
  const traced: TracedProtocol[] = [];
  for (const protocol of protocols) traced.push(await traceProtocol(protocol, options));
  for (const { protocol, columns, parts } of traced) {
    console.log(`${titleOf(protocol, options)}\n\n${renderChart(columns, parts)}\n`);
  }
  console.log(
    `${renderCounts(traced.flatMap(({ parts }) => parts))}\n\n${legend}${options.digest ? ", H(V1) its hash" : ""}.`,
  );
  if (options.json !== undefined) await writeJson(options.json, options, traced);
}

function titleOf(protocol: Protocol, { distinguishedLearner, digest }: TraceOptions): string {
  const parts = [
    ...(distinguishedLearner ? ["a distinguished learner"] : []),
    ...(digest ? ["digests"] : []),
  ];
  return parts.length === 0 ? titles[protocol] : `${titles[protocol]} with ${parts.join(" and ")}`;
}

/** The recorded frames, each once, and what was counted; times count from the first frame of a protocol. */
async function writeJson(
  file: string,
  { json: _, ...options }: TraceOptions,
  traced: readonly TracedProtocol[],
): Promise<void> {
  const protocols = traced.map(({ protocol, columns, parts, frames }) => ({
    protocol,
    columns,
    parts: parts.map(part => ({ ...part, frames: countFrames(part.frames) })),
    frames: frames.map(frame => ({ ...frame, atMs: frame.atMs - (frames[0]?.atMs ?? 0) })),
  }));
  await writeFile(file, `${JSON.stringify({ options, protocols }, null, 2)}\n`);
}

async function traceProtocol(protocol: Protocol, options: TraceOptions): Promise<TracedProtocol> {
  const { acceptors, learners, distinguishedLearner, digest } = options;
  const cluster = await Cluster.start({
    stateMachine: VerifyingStore,
    protocol,
    proposers: 1,
    acceptors,
    learners,
    distinguishedLearner,
    digest,
    // Commands that are proposed together are to be one batch, however few they are.
    batch: { commandsMax: options.commands, adaptive: false },
    trace: true,
  });
  try {
    const client = await cluster.connect();
    // The opening of the client's session has taken the first instance.
    const firstInstance = appliedBelow(await inspectAtRest(cluster, false));
    const spans = await proposeAll(client, protocol === "basic-paxos" ? [1] : groupsOf(options.commands));
    const inspections = await inspectAtRest(cluster, false);
    const commands = spans.reduce((sum, span) => sum + span.commands, 0);
    if (appliedBelow(inspections) !== firstInstance + commands) {
      throw new VerificationError("a command was proposed twice: the machine was too busy; try again");
    }
    const frames = framesOf(inspections);
    const parts = partsOf(options, protocol, firstInstance, spans, frames, inspections);
    const named = (role: Inspection["role"]) =>
      inspections.filter(inspection => inspection.role === role).map(({ name }) => name);
    const columns = [
      { title: "Client", actors: named("client") },
      { title: "Proposer", actors: named("proposer") },
      { title: acceptors === 1 ? "Acceptor" : "Acceptors", actors: named("acceptor") },
      { title: learners === 1 ? "Learner" : "Learners", actors: named("learner") },
    ];
    return { protocol, columns, parts, frames };
  } finally {
    await cluster.close();
  }
}

/** One command each, and then all together, if that is more than one. */
function groupsOf(commands: number): number[] {
  const alone = new Array<number>(commands).fill(1);
  return commands === 1 ? alone : [...alone, commands];
}

async function proposeAll(client: Client<VerifyingStore>, groups: readonly number[]): Promise<Span[]> {
  const spans: Span[] = [];
  let value = 0;
  for (const commands of groups) {
    const fromMs = monotonicMs();
    const proposed = Array.from({ length: commands }, () =>
      client.propose({ op: "set", key: "key", value: ++value }),
    );
    await Promise.all(proposed);
    spans.push({ fromMs, toMs: monotonicMs(), commands });
  }
  return spans;
}

/** The messages of instances by their instances, those of clients by the time at which nothing else was asked. */
function partsOf(
  { digest }: TraceOptions,
  protocol: Protocol,
  firstInstance: number,
  spans: readonly Span[],
  frames: readonly RecordedFrame[],
  inspections: readonly Inspection[],
): TracedPart[] {
  const parts: TracedPart[] = [];
  const answering = frames.findLast(({ type }) => type === "response")?.from;
  const learners = inspections.filter(({ role }) => role === "learner");
  let first = firstInstance;
  for (const { fromMs, toMs, commands } of spans) {
    const end = first + commands;
    const own = frames.filter(frame =>
      frame.firstInstance === null
        ? frame.atMs >= fromMs && frame.atMs <= toMs
        : frame.firstInstance >= first && frame.firstInstance < end,
    );
    const depths = learners.map(learner => ({ name: learner.name, depth: depthOf(learner, first, end) }));
    parts.push({
      protocol,
      note: commands === 1 ? `instance ${first}` : `instances ${first} to ${end - 1}, one batch`,
      firstInstance: first,
      count: commands,
      frames: own,
      isHashed: digest,
      messageDelays: depths.find(({ name }) => name === answering)?.depth ?? 0,
      messageDelaysAllLearners: Math.max(...depths.map(({ depth }) => depth)),
    });
    first = end;
  }
  return protocol === "basic-paxos" ? parts : [phaseOneOf(frames), ...parts];
}

/** The leader prepares before it is asked for anything. */
function phaseOneOf(frames: readonly RecordedFrame[]): TracedPart {
  const own = frames.filter(({ type }) => type === "prepare" || type === "promise");
  return {
    protocol: "multi-paxos",
    note: "phase 1, once for all instances",
    firstInstance: own[0]?.firstInstance ?? 0,
    count: 1,
    frames: own,
    messageDelays: null,
    messageDelaysAllLearners: null,
  };
}

/** The greatest depth at which the learner's quorum for one of these instances was complete. */
function depthOf({ depths = [] }: Inspection, first: number, end: number): number {
  const own = depths.filter(([instance]) => instance >= first && instance < end);
  return Math.max(0, ...own.map(([, depth]) => depth));
}

function appliedBelow(inspections: readonly Inspection[]): number {
  return Math.max(...inspections.map(inspection => inspection.appliedBelow ?? 0));
}

/** Everything that anyone has sent, in the order of sending. */
function framesOf(inspections: readonly Inspection[]): RecordedFrame[] {
  const frames = inspections.flatMap(({ name, trace = [] }) =>
    trace.map(frame => ({ ...frame, from: name })),
  );
  return frames.sort((a, b) => a.atMs - b.atMs);
}
