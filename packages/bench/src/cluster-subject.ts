import { type Client, Cluster, type ClusterOptions, type Inspection } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import { acceptReceivers } from "./consensus-messages.js";
import { type RowCounts, type Subject, type Traced, VerificationError } from "./experiment.js";
import { sumUpTo } from "./identity-sum.js";
import type { LoadCommand } from "./load.js";
import { consensusTypes, countFrames } from "./message-groups.js";
import { type Audit, VerifyingStore } from "./verifying-store.js";

/** How a cluster is set up; what is left out is as {@link Cluster.start} has it. */
export type ClusterSettings = Omit<
  ClusterOptions<VerifyingStore>,
  "stateMachine" | "stateMachineOptions" | "trace"
>;

/** A cluster that does not come to rest within this time, in milliseconds, has lost something. */
const restWithinMs = 10_000;
const restPollMs = 15;

/** Frames that flow with time, not with commits. */
const maintenance = new Set<string>([
  "progress",
  "heartbeat",
  "granted",
  "sample",
  "standIn",
  "follow",
  "followed",
]);
const consensus = new Set<string>(consensusTypes);

/** A real cluster with one client. */
export class ClusterSubject implements Subject {
  readonly #cluster: Cluster<VerifyingStore>;
  readonly #client: Client<VerifyingStore>;
  readonly #base: readonly Inspection[];
  readonly #baseMs = monotonicMs();
  readonly #acceptReceivers: number;

  private constructor(
    cluster: Cluster<VerifyingStore>,
    client: Client<VerifyingStore>,
    base: readonly Inspection[],
    settings: ClusterSettings,
  ) {
    this.#cluster = cluster;
    this.#client = client;
    this.#base = base;
    this.#acceptReceivers = acceptReceivers({
      protocol: settings.protocol ?? "multi-paxos",
      acceptors: base.filter(({ role }) => role === "acceptor").length,
      learners: learnersOf(base).length,
      distinguishedLearner: settings.distinguishedLearner ?? false,
      digest: settings.digest ?? false,
    });
  }

  static async start(settings: ClusterSettings, trace: boolean): Promise<ClusterSubject> {
    const cluster = await Cluster.start({ ...settings, stateMachine: VerifyingStore, trace });
    try {
      const client = await cluster.connect();
      const base = await inspectAtRest(cluster, false);
      return new ClusterSubject(cluster, client, base, settings);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  readonly propose = (command: LoadCommand): Promise<unknown> => this.#client.propose(command);

  async verify(acknowledged: number): Promise<void> {
    const now = learnersOf(await inspectAtRest(this.#cluster, true));
    const digests = new Set(now.map(({ stateDigest }) => stateDigest));
    if (digests.size !== 1 || digests.has(undefined)) {
      const states = now.map(({ name, stateDigest }) => `${name} ${stateDigest}`).join(", ");
      throw new VerificationError(`the learners' states differ: ${states}`);
    }
    const before = learnersOf(this.#base);
    now.forEach((learner, at) => {
      const applied = (learner.appliedCommands ?? Number.NaN) - (before[at]?.appliedCommands ?? Number.NaN);
      if (applied === acknowledged) return;
      throw new VerificationError(
        `${learner.name} applied ${applied} commands, acknowledged were ${acknowledged}`,
      );
    });
    checkAudit((await this.#client.query({ op: "audit" })) as Audit, acknowledged);
  }

  async counts(): Promise<RowCounts> {
    return countsBetween(this.#base, await inspectAtRest(this.#cluster, false), this.#acceptReceivers);
  }

  async traced(): Promise<Traced> {
    const firstInstance = Math.max(...learnersOf(this.#base).map(({ appliedBelow }) => appliedBelow ?? 0));
    const inspections = await inspectAtRest(this.#cluster, false);
    const frames = inspections
      .flatMap(({ name, trace = [] }) => trace.map(frame => ({ ...frame, from: name })))
      .filter(({ atMs }) => atMs >= this.#baseMs);
    const answers = ({ sent }: Inspection) => sent.response.frames;
    const depths = learnersOf(inspections)
      .sort((a, b) => answers(b) - answers(a))
      .map(({ depths = [] }) =>
        depths.filter(([instance]) => instance >= firstInstance).map(([, depth]) => depth),
      );
    return { depths, again: countFrames(frames).again };
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

/** Throws unless the commands 1 to `acknowledged` were applied, each once. */
export function checkAudit(audit: Audit, acknowledged: number): void {
  const sum = sumUpTo(acknowledged);
  if (audit.repeated !== 0)
    throw new VerificationError(`${audit.repeated} commands were applied twice or late`);
  if (audit.skipped !== 0) throw new VerificationError(`${audit.skipped} commands were passed over`);
  if (audit.count !== acknowledged || audit.sum !== sum) {
    const found = `${audit.count} commands with the sum ${audit.sum}`;
    throw new VerificationError(`${found} were applied; expected were ${acknowledged} with the sum ${sum}`);
  }
}

/** What was sent between two inspections. */
function countsBetween(
  before: readonly Inspection[],
  after: readonly Inspection[],
  acceptReceivers: number,
): RowCounts {
  const counts = {
    frames: 0,
    bytes: 0,
    maintenanceFrames: 0,
    consensusFrames: 0,
    refuseFrames: 0,
    fetchFrames: 0,
    droppedFrames: 0,
    acceptFrames: 0,
    acceptReceivers,
    wakeUps: 0,
  };
  for (const [sign, inspections] of [
    [-1, before],
    [1, after],
  ] as const) {
    for (const { sent, wakeUps, droppedFrames } of inspections) {
      counts.wakeUps += sign * wakeUps;
      counts.droppedFrames += sign * droppedFrames;
      for (const [type, { frames, bytes }] of Object.entries(sent)) {
        if (maintenance.has(type)) {
          counts.maintenanceFrames += sign * frames;
          continue;
        }
        counts.frames += sign * frames;
        counts.bytes += sign * bytes;
        if (consensus.has(type)) counts.consensusFrames += sign * frames;
        if (type === "refuse") counts.refuseFrames += sign * frames;
        if (type === "fetch") counts.fetchFrames += sign * frames;
        if (type === "accept") counts.acceptFrames += sign * frames;
      }
    }
  }
  return counts;
}

function learnersOf(inspections: readonly Inspection[]): Inspection[] {
  return inspections.filter(({ role }) => role === "learner");
}

/** Everything but maintenance: two equal ones in a row mean that nothing is under way. */
function activity(inspections: readonly Inspection[]): string {
  return JSON.stringify(
    inspections.map(({ name, sent, appliedBelow }) => [
      name,
      appliedBelow,
      Object.entries(sent).map(([type, { frames }]) => (maintenance.has(type) ? 0 : frames)),
    ]),
  );
}

/** Waits until nothing is under way but maintenance. @throws VerificationError */
export async function inspectAtRest(
  cluster: Pick<Cluster<VerifyingStore>, "inspect">,
  stateDigest: boolean,
): Promise<Inspection[]> {
  const giveUpAt = performance.now() + restWithinMs;
  let last = "";
  for (;;) {
    const inspections = await cluster.inspect({ stateDigest });
    const learners = learnersOf(inspections);
    const level = learners.every(({ appliedBelow }) => appliedBelow === learners[0]?.appliedBelow);
    const now = activity(inspections);
    if (level && now === last) return inspections;
    last = now;
    if (performance.now() > giveUpAt) {
      const applied = learners.map(({ name, appliedBelow }) => `${name} below ${appliedBelow}`).join(", ");
      throw new VerificationError(`the cluster has not come to rest: applied are ${applied}`);
    }
    await new Promise(resolve => setTimeout(resolve, restPollMs));
  }
}
