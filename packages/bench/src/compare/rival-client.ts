import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ThreadsMode } from "../options.js";
import type { Subject } from "./catalogue.js";
import { endsWithinMs, tailOf } from "./programs.js";
import type { MeasuredSlice, RivalAnswer, RivalSpec, RivalTask } from "./rival.js";

/** A build of Go's runtime and of the library takes a minute on a small machine. */
const opensWithinMs = 180_000;
/** Thousands of commands of a slow subject take this long to settle after the slice. */
const answersWithinMs = 120_000;
/** Where files take no disk, on Linux. */
const memoryFolder = "/dev/shm";

/** A subject that runs in a process of its own. */
export class RivalClient {
  readonly subject: Subject;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #said: () => string;
  readonly #exited: Promise<unknown>;
  #details = "";
  #pids: readonly number[] = [];

  private constructor(subject: Subject, child: ChildProcess, folder: string) {
    this.subject = subject;
    this.#child = child;
    this.#folder = folder;
    this.#said = tailOf(child.stderr);
    this.#exited = once(child, "exit");
  }

  /** Forks the process, without waiting for what it opens: it is to be closed whatever comes. */
  static async fork(
    subject: Subject,
    options: { readonly payload: number; readonly threads: ThreadsMode },
  ): Promise<RivalClient> {
    const parent = subject.family === "server" && existsSync(memoryFolder) ? memoryFolder : tmpdir();
    const folder = await mkdtemp(join(parent, "synod-compare-"));
    const { payload, threads } = options;
    const spec: RivalSpec = { id: subject.id, family: subject.family, folder, payload, threads };
    const child = fork(new URL("./rival-process.js", import.meta.url), [JSON.stringify(spec)], {
      // Of its own process group: Ctrl-C is for this process, which then ends them all in order.
      detached: true,
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    return new RivalClient(subject, child, folder);
  }

  get details(): string {
    return this.#details;
  }

  /** All its processes. */
  get pids(): readonly number[] {
    return [this.#child.pid!, ...this.#pids];
  }

  /** Rejects with what it said when it does not start. */
  async ready(): Promise<void> {
    const answer = await this.#answer(opensWithinMs);
    if (answer.type !== "ready") throw new Error(`${this.subject.title} answered ${answer.type}`);
    this.#details = answer.details;
    this.#pids = answer.pids;
  }

  async slice(clients: number, durationMs: number): Promise<MeasuredSlice> {
    const answer = await this.#ask({ ask: "slice", clients, durationMs }, durationMs + answersWithinMs);
    if (answer.type !== "slice") throw new Error(`${this.subject.title} answered ${answer.type}`);
    return answer;
  }

  async verify(): Promise<void> {
    await this.#ask({ ask: "verify" }, answersWithinMs);
  }

  /** Ends all its processes, and removes its folder. */
  async close(): Promise<void> {
    const ask: RivalTask = { ask: "close" };
    if (this.#child.connected) this.#child.send(ask, () => undefined);
    // Twice, since it may wait for a program of its own as long.
    const killing = setTimeout(() => this.#kill(), 2 * endsWithinMs);
    await this.#exited;
    clearTimeout(killing);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #kill(): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }

  #ask(task: RivalTask, withinMs: number): Promise<RivalAnswer> {
    this.#child.send(task);
    return this.#answer(withinMs);
  }

  async #answer(withinMs: number): Promise<RivalAnswer> {
    const { title } = this.subject;
    const over = new AbortController();
    const exited = this.#exited.then(() => {
      throw new Error(`${title} ended${this.#said()}`);
    });
    try {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(withinMs)]);
      const [answer] = (await Promise.race([once(this.#child, "message", { signal }), exited])) as [
        RivalAnswer,
      ];
      if (answer.type === "failed") throw new Error(`${title}: ${answer.message}`);
      return answer;
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") throw new Error(`${title} did not answer`);
      throw error;
    } finally {
      over.abort();
      exited.catch(() => undefined);
    }
  }
}
