import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Generations, HistoryCounts } from "./history-check.js";
import type { ObserverNotice, ObserverRequest } from "./observer-worker.js";
import type { Recovery, Strike } from "./recovery.js";

/** The thread that checks what the clients note, as the main thread sees it. */
export class ObserverThread {
  readonly #worker = new Worker(new URL("./observer-worker.js", import.meta.url));
  readonly #added = new Map<number, () => void>();
  readonly #finished: Promise<{ readonly counts: HistoryCounts; readonly open: number }>;

  constructor(
    generations: Generations,
    onViolation: (text: string) => void,
    onRecovered: (recovery: Recovery) => void,
  ) {
    this.#finished = new Promise((resolve, reject) => {
      this.#worker.on("message", (notice: ObserverNotice) => {
        if (notice.kind === "added") this.#added.get(notice.client)?.();
        else if (notice.kind === "violation") onViolation(notice.text);
        else if (notice.kind === "recovered") onRecovered(notice.recovery);
        else resolve(notice);
      });
      // Without it nothing is checked: the run must not go on as if it were.
      this.#worker.on("error", reject);
    });
    this.#finished.catch(error => onViolation(`the checker has failed: ${error.stack ?? error}`));
    this.#tell({ kind: "begin", generations });
  }

  /** Resolves once the client is known: only then may it begin. */
  async add(client: number, journal: SharedArrayBuffer, sinceMs: number): Promise<void> {
    const added = new Promise<void>(resolve => this.#added.set(client, resolve));
    this.#tell({ kind: "add", client, journal, sinceMs });
    await Promise.race([added, this.#finished]);
    this.#added.delete(client);
  }

  /** After the client's thread has exited. */
  ended(client: number): void {
    this.#tell({ kind: "ended", client });
  }

  struck(strike: Strike): void {
    this.#tell({ kind: "struck", strike });
  }

  /** Checks what is left; resolves with what was checked, and how many operations had not settled. */
  async finish(): Promise<{ readonly counts: HistoryCounts; readonly open: number }> {
    this.#tell({ kind: "finish" });
    return this.#finished;
  }

  async close(): Promise<void> {
    if (this.#worker.threadId < 0) return;
    const exited = once(this.#worker, "exit");
    await this.#worker.terminate();
    await exited;
  }

  #tell(request: ObserverRequest): void {
    this.#worker.postMessage(request);
  }
}
