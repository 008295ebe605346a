import { type Client, Cluster } from "@synod/runtime";
import { withStageTimes } from "@synod/runtime/internal";
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { inspectAtRest } from "../cluster-subject.js";
import { type EmbedderThread, openThread } from "../embed/thread.js";
import { VerificationError } from "../experiment.js";
import { addIdentity, sumUpTo } from "../identity-sum.js";
import { latencyHistogram } from "../load.js";
import type { CpuShares, LatencyUs, Settings, StagesUs } from "../results/format.js";
import { type MachineUse, MachineWatch } from "../results/machine-watch.js";
import { type Audit, VerifyingStore } from "../verifying-store.js";
import { latencyUsOf } from "./buckets.js";
import { answerClient, type ClientAnswer, type ClientTask } from "./client-load.js";
import type { ClientSpec } from "./client-worker.js";
import { clusterOptions } from "./cluster-options.js";
import { cpuShares } from "./cpu-shares.js";
import type { Shape } from "./grid.js";
import { combined } from "./stage-medians.js";

/** One measurement, as it goes into a row. */
export interface Measured {
  readonly seconds: number;
  readonly commits: number;
  readonly commitsPerSecond: number;
  readonly latencyUs: LatencyUs;
  readonly cpu: CpuShares | null;
  readonly stagesUs: StagesUs | null;
  readonly loadAverage: [number, number, number];
  readonly warnings: string[];
}

type ClientThread = EmbedderThread<ClientTask, ClientAnswer>;

/** A cluster on which cells are measured one after the other, with its clients on this thread or on their own. */
export class CellCluster {
  readonly #cluster: Cluster<VerifyingStore>;
  readonly #client: Client<VerifyingStore>;
  readonly #hasStages: boolean;
  readonly #threads: ClientThread[] = [];
  /** What the state machine must have counted by now. */
  #expected = { count: 0, sum: 0 };

  private constructor(cluster: Cluster<VerifyingStore>, client: Client<VerifyingStore>, hasStages: boolean) {
    this.#cluster = cluster;
    this.#client = client;
    this.#hasStages = hasStages;
  }

  /** `payloadBytes` is the most that a command of its cells will carry; `hasStages`, whether batches are timed. */
  static async start(shape: Shape, payloadBytes: number, hasStages: boolean): Promise<CellCluster> {
    const options = { ...clusterOptions(shape, payloadBytes), stateMachine: VerifyingStore };
    const cluster = await Cluster.start<VerifyingStore>(hasStages ? withStageTimes(options) : options);
    try {
      return new CellCluster(cluster, await cluster.connect(), hasStages);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Loads without measuring, until threads run compiled code and queues have their usual height. */
  async warmUp(settings: Settings, durationMs: number): Promise<void> {
    await this.#load(settings, { durationMs, isTimed: false });
  }

  /** @throws VerificationError when a learner has applied anything but what was acknowledged, each once */
  async measure(settings: Settings, durationMs: number): Promise<Measured> {
    const before = await this.#cluster.inspect();
    const sinceMs = performance.now();
    const watch = new MachineWatch();
    const answers = await this.#load(settings, { durationMs, isTimed: true });
    const use = watch.read();
    const after = await this.#cluster.inspect();
    const ms = performance.now() - sinceMs;
    await this.#verify();
    const { actors } = await this.#cluster.status();
    const threadOf = new Map(actors.map(({ name, thread }) => [name as string, thread]));
    const clients = answers.map(({ cores }) => cores);
    const shares = cpuShares({ before, after, threadOf, clients, ms });
    return measuredOf(settings, answers, use, { process: use.ownCores, actors: shares });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(thread => thread.close()));
    await this.#cluster.close();
  }

  async #load(
    { clients, payloadBytes, clientThreads, ratePerSecond }: Settings,
    slice: Pick<ClientTask, "durationMs" | "isTimed">,
  ): Promise<ClientAnswer[]> {
    const number = Math.max(1, clientThreads);
    const tasks = Array.from({ length: number }, (_, at) => ({
      ...slice,
      payloadBytes,
      hasStages: this.#hasStages && slice.isTimed,
      clients: Math.floor((clients + at) / number),
      ratePerSecond: ratePerSecond === null ? null : ratePerSecond / number,
    }));
    while (this.#threads.length < clientThreads) {
      const spec: ClientSpec = { handle: this.#cluster.handle() };
      this.#threads.push(openThread("../sweep/client-worker.js", spec));
    }
    const answers = await Promise.all(
      tasks.map((task, at) =>
        clientThreads === 0 ? answerClient(this.#client, task) : this.#threads[at]!.ask(task),
      ),
    );
    for (const { acknowledged } of answers) {
      this.#expected.count += acknowledged;
      this.#expected.sum = addIdentity(this.#expected.sum, sumUpTo(acknowledged));
    }
    return answers;
  }

  async #verify(): Promise<void> {
    const inspections = await inspectAtRest(this.#cluster, true);
    const learners = inspections.filter(({ role }) => role === "learner");
    if (new Set(learners.map(({ stateDigest }) => stateDigest)).size !== 1) {
      const states = learners.map(({ name, stateDigest }) => `${name} ${stateDigest}`).join(", ");
      throw new VerificationError(`the learners' states differ: ${states}`);
    }
    const audit = (await this.#client.query({ op: "audit" }, { consistency: "linearizable" })) as Audit;
    const { count, sum } = this.#expected;
    if (audit.count !== count || audit.sum !== sum) {
      const found = `${audit.count} commands with the sum ${audit.sum}`;
      throw new VerificationError(`${found} were applied; acknowledged were ${count} with the sum ${sum}`);
    }
  }
}

/** Rates of threads add up: each has its own time, which began when it was in its steady state. */
function measuredOf(
  settings: Settings,
  answers: readonly ClientAnswer[],
  use: MachineUse,
  cpu: CpuShares,
): Measured {
  const histogram = latencyHistogram();
  for (const { latencies } of answers) {
    if (latencies !== undefined) histogram.add(decodeFromCompressedBase64(latencies));
  }
  const warnings = [...use.warnings];
  const waiting = answers.reduce((sum, answer) => sum + answer.waiting, 0);
  if (waiting > 0) {
    const due = Math.floor(
      (settings.ratePerSecond ?? 0) * (Math.max(...answers.map(({ durationMs }) => durationMs)) / 1000),
    );
    warnings.push(
      `the rate was too high: of about ${due} commands ${waiting} were not even proposed; they count with the time that they waited`,
    );
  }
  return {
    seconds: Math.max(...answers.map(({ durationMs }) => durationMs)) / 1000,
    commits: answers.reduce((sum, { commits }) => sum + commits, 0),
    commitsPerSecond: answers.reduce(
      (sum, { commits, durationMs }) => sum + (1000 * commits) / durationMs,
      0,
    ),
    latencyUs: latencyUsOf(histogram),
    cpu,
    stagesUs: combined(answers.map(({ stages }) => stages)),
    loadAverage: use.loadAverage,
    warnings,
  };
}
