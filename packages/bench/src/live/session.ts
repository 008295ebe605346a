import { SynodError } from "@synod/runtime";
import { LiveHistory } from "./history.js";
import { liveLimits } from "./limits.js";
import { castOf, chartOfRates, type SentSoFar } from "./message-rates.js";
import { chartOfTrace } from "./message-trace.js";
import type { LiveSettings, LiveUpdate } from "./messages.js";
import { type ClusterShape, messageOf, RunningCluster } from "./running-cluster.js";
import { actorsOf, happeningsBetween } from "./view.js";

/** An action that cannot be done now: what it says is for the page. */
export class ActionRefused extends Error {
  override readonly name = "ActionRefused";
}

/** A cluster with a load that is watched, and replaced when its settings change: what the page shows and does. */
export class LiveSession {
  readonly #shape: ClusterShape;
  readonly #history: LiveHistory;
  #running: RunningCluster | null = null;
  #sentBefore: SentSoFar | null = null;
  #sampledAt = performance.now();
  #sampling: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  /** The start that is under way: there is one at a time. */
  #starting: Promise<void> | null = null;
  #isClosed = false;

  private constructor(shape: ClusterShape, clients: number, settings: LiveSettings) {
    this.#shape = shape;
    this.#history = new LiveHistory({
      phase: { kind: "starting", why: "the cluster starts" },
      settings,
      clients,
      leader: null,
      actors: [],
    });
  }

  /** @throws SynodError when the first cluster does not start */
  static async start(shape: ClusterShape, clients: number, settings: LiveSettings): Promise<LiveSession> {
    const session = new LiveSession(shape, clients, settings);
    await session.#startCluster();
    session.#sampling = setInterval(() => session.#sample(), liveLimits.sampleEveryMs);
    session.#lookLater();
    return session;
  }

  subscribe(listener: (update: LiveUpdate) => void): () => void {
    return this.#history.subscribe(listener);
  }

  /** Resolves when the actor's thread has exited. @throws SynodError, ActionRefused */
  async kill(actor: string): Promise<void> {
    const { cluster } = this.#current();
    this.#checkActor(actor);
    this.#history.happened({ kind: "you", text: `you killed ${actor}` });
    await cluster.faults.kill(actor);
  }

  /** Resolves when the actor's thread stands still. @throws SynodError, ActionRefused */
  async pause(actor: string, ms: number): Promise<void> {
    const { cluster } = this.#current();
    this.#checkActor(actor);
    await cluster.faults.pause(actor, { ms });
    this.#history.happened({ kind: "you", text: `you paused ${actor} for ${ms / 1000} s` });
  }

  /** @throws ActionRefused */
  setClients(clients: number): void {
    const { load } = this.#current();
    if (clients === this.#history.state.clients) return;
    this.#history.happened({
      kind: "you",
      text: `you changed the load to ${clients} client${clients === 1 ? "" : "s"}`,
    });
    load.setClients(clients);
    this.#history.changed({ clients });
  }

  /** Starts the cluster anew, with other settings. Its log is empty then. @throws ActionRefused */
  async restart(settings: LiveSettings): Promise<void> {
    // A cluster that did not start has nothing to be closed.
    const old = this.#history.state.phase.kind === "failed" ? null : this.#current();
    const why = `the cluster starts anew with ${settingsText(settings)}`;
    this.#history.happened({ kind: "restart", text: why });
    this.#running = null;
    this.#sentBefore = null;
    this.#history.changed({ phase: { kind: "starting", why }, settings, leader: null, actors: [] });
    this.#starting = (async () => {
      await old?.close();
      if (!this.#isClosed) await this.#startCluster();
    })();
    try {
      await this.#starting;
    } catch (error) {
      const reason = messageOf(error);
      this.#history.happened({ kind: "failed", text: `the cluster did not start: ${reason}` });
      this.#history.changed({ phase: { kind: "failed", reason } });
      throw error;
    } finally {
      this.#starting = null;
    }
  }

  /** Ends the load and the cluster. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sampling);
    clearTimeout(this.#looking);
    await this.#starting?.catch(() => {});
    await this.#running?.close();
    this.#running = null;
  }

  async #startCluster(): Promise<void> {
    const { settings, clients } = this.#history.state;
    const running = await RunningCluster.start(this.#shape, settings, event => this.#history.happened(event));
    running.load.setClients(clients);
    this.#running = running;
    const status = await running.cluster.status();
    // Who was elected before anybody could listen is told here.
    this.#history.happened({ kind: "up", text: `the cluster runs; ${status.leader ?? "nobody"} leads` });
    this.#history.changed({ phase: { kind: "running" }, leader: status.leader, actors: actorsOf(status) });
  }

  #current(): RunningCluster {
    if (this.#running === null) throw new ActionRefused("the cluster does not run: wait until it does");
    return this.#running;
  }

  #checkActor(actor: string): void {
    const names = this.#history.state.actors.map(({ name }) => name);
    if (!names.includes(actor)) throw new ActionRefused(`there is no actor ${actor}: ${names.join(", ")}`);
  }

  #sample(): void {
    const now = performance.now();
    const { commits, latencyMs } = this.#running?.load.read() ?? { commits: 0, latencyMs: null };
    this.#history.sampled({
      atMs: Date.now(),
      commitsPerSecond: (commits * 1000) / Math.max(1, now - this.#sampledAt),
      p50Ms: latencyMs?.p50 ?? null,
      p99Ms: latencyMs?.p99 ?? null,
    });
    this.#sampledAt = now;
  }

  #lookLater(): void {
    const { lookEveryMs, tracedLookEveryMs } = liveLimits;
    this.#looking = setTimeout(
      async () => {
        await this.#look();
        if (!this.#isClosed) this.#lookLater();
      },
      this.#history.state.settings.trace ? tracedLookEveryMs : lookEveryMs,
    );
  }

  /** Asks all actors. One that stands still delays this, but not the charts. */
  async #look(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    try {
      const [status, inspections] = await Promise.all([running.cluster.status(), running.cluster.inspect()]);
      if (this.#running !== running) return;
      const actors = actorsOf(status);
      for (const happening of happeningsBetween(this.#history.state.actors, actors)) {
        this.#history.happened(happening);
      }
      this.#history.changed({ leader: status.leader, actors });
      this.#draw({ atMs: performance.now(), inspections }, inspections);
    } catch (error) {
      if (error instanceof SynodError && error.code === "CLUSTER_CLOSED") return;
      throw error;
    }
  }

  #draw(sent: SentSoFar, inspections: Parameters<typeof chartOfTrace>[0]): void {
    const { leader, actors, settings } = this.#history.state;
    // Who is down is not among those that were inspected, and has a lifeline all the same.
    const named = (role: string) => actors.filter(actor => actor.role === role).map(({ name }) => name);
    const cast = {
      ...castOf(inspections, leader),
      proposers: named("proposer"),
      acceptors: named("acceptor"),
      learners: named("learner"),
    };
    const before = this.#sentBefore;
    this.#sentBefore = sent;
    const chart = settings.trace
      ? chartOfTrace(inspections, cast)
      : before && chartOfRates(before, sent, cast);
    if (chart !== null) this.#history.drawn(chart);
  }
}

function settingsText({ batch, pipeline, trace }: LiveSettings): string {
  const size = batch === null ? "adaptive batches" : `batches of ${batch}`;
  return `${size}, pipeline ${pipeline}${trace ? ", traced" : ""}`;
}
