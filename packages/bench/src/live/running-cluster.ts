import { formatBallot } from "@synod/core";
import { type Client, Cluster, SynodError } from "@synod/runtime";
import type { ThreadsMode } from "../options.js";
import { VerifyingStore } from "../verifying-store.js";
import { liveLimits } from "./limits.js";
import { AdjustableLoad } from "./load.js";
import type { LiveSettings } from "./messages.js";
import type { Happening } from "./view.js";

/** What stays the same however often the cluster is started anew. */
export interface ClusterShape {
  readonly acceptors: number;
  readonly learners: number;
  readonly threads: ThreadsMode;
}

type Happened = (happening: Happening) => void;

/** One cluster with its load, from its start until it is closed. It tells what happens to it. */
export class RunningCluster {
  readonly cluster: Cluster<VerifyingStore>;
  readonly load: AdjustableLoad;
  readonly #happened: Happened;
  #client: Client<VerifyingStore>;
  #reconnecting: Promise<void> | undefined;
  #failureReportedAt = Number.NEGATIVE_INFINITY;
  #isClosing = false;

  private constructor(cluster: Cluster<VerifyingStore>, client: Client<VerifyingStore>, happened: Happened) {
    this.cluster = cluster;
    this.#client = client;
    this.#happened = happened;
    this.load = new AdjustableLoad(
      command => this.#client.propose(command),
      error => this.#failed(error),
    );
  }

  static async start(
    shape: ClusterShape,
    { batch, pipeline, trace }: LiveSettings,
    happened: Happened,
  ): Promise<RunningCluster> {
    const cluster = await Cluster.start({
      ...shape,
      stateMachine: VerifyingStore,
      batch: batch === null ? {} : { commandsMax: batch, adaptive: false },
      pipeline: { batchesMax: pipeline },
      trace,
    });
    try {
      tellOf(cluster, happened);
      return new RunningCluster(cluster, await cluster.connect(), happened);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Closes the cluster, which settles every command, and waits until no client runs. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const stopped = this.load.stop();
    await this.cluster.close();
    await stopped;
  }

  #failed(error: unknown): void {
    if (this.#isClosing) return;
    const now = performance.now();
    if (now - this.#failureReportedAt >= liveLimits.failureReportEveryMs) {
      this.#failureReportedAt = now;
      this.#happened({ kind: "failed", text: `a command failed: ${messageOf(error)}` });
    }
    if (error instanceof SynodError && error.code === "SESSION_EXPIRED") {
      this.#reconnecting ??= this.#reconnect().finally(() => {
        this.#reconnecting = undefined;
      });
    }
  }

  /** A session that has expired stays so: the load goes on with another one. */
  async #reconnect(): Promise<void> {
    const expired = this.#client;
    try {
      this.#client = await this.cluster.connect();
      await expired.close();
    } catch (error) {
      if (!this.#isClosing) this.#happened({ kind: "failed", text: `no new session: ${messageOf(error)}` });
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tellOf(cluster: Cluster<VerifyingStore>, happened: Happened): void {
  cluster.on("leaderChanged", ({ leader, ballot }) =>
    happened({ kind: "leader", text: `${leader} leads, by ballot ${formatBallot(ballot)}` }),
  );
  cluster.on("actorDown", ({ actor, reason }) =>
    happened({ kind: "down", text: `${actor} is down: ${reason}` }),
  );
  cluster.on("actorUp", ({ actor, downMs }) =>
    happened({ kind: "up", text: `${actor} is back after ${Math.round(downMs)} ms` }),
  );
  cluster.on("actorFailed", ({ actor, reason }) =>
    happened({ kind: "failed", text: `${actor} is given up: ${reason}` }),
  );
  cluster.on("divergence", ({ learners, instance }) =>
    happened({ kind: "failed", text: `${learners.join(" and ")} differ after instance ${instance}` }),
  );
  cluster.on("snapshotFailed", ({ actor, phase, reason }) =>
    happened({ kind: "failed", text: `${actor} could not ${phase}: ${reason}` }),
  );
}
