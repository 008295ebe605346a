import { type TransferListItem, Worker } from "node:worker_threads";

const builtMailbox = new URL("../../dist/mailbox/index.js", import.meta.url).href;

type Role = "pingPong" | "stream" | "drain" | "abandon";
type Report<Result> = { readonly progress: number } | { readonly result: Result };

/** A thread that plays a role of stress-worker.mjs. */
export class Thread<Result> {
  /** What its role came to. Rejects with what it threw, or when it was killed before. */
  readonly result: Promise<Result>;
  readonly exit: Promise<void>;
  readonly #worker: Worker;

  /** `mailboxUrl`: the built mailbox, unless a bug is planted. */
  constructor(role: Role, options: object, mailboxUrl = builtMailbox, transferList: TransferListItem[] = []) {
    const worker = new Worker(new URL("./stress-worker.mjs", import.meta.url), {
      workerData: { mailboxUrl, role, options },
      transferList,
    });
    this.#worker = worker;
    this.exit = new Promise(resolve => {
      worker.once("exit", () => resolve());
    });
    this.result = new Promise((resolve, reject) => {
      worker.on("message", (report: Report<Result>) => {
        if ("result" in report) resolve(report.result);
      });
      worker.once("error", reject);
      this.exit.then(() => reject(new Error(`${role} ended without a result`)));
    });
    this.result.catch(() => {}); // Nobody asks a thread that is to be killed.
  }

  /** Resolves with its next report of this much progress or more; rejects when it ends before. */
  progress(atLeast: number): Promise<void> {
    const worker = this.#worker;
    const reached = new Promise<void>(resolve => {
      worker.on("message", function listen(report: Report<Result>) {
        if (!("progress" in report) || report.progress < atLeast) return;
        worker.off("message", listen);
        resolve();
      });
    });
    const ended = this.result.then(() => {
      throw new Error("the thread ended before it made this progress");
    });
    return Promise.race([reached, ended]);
  }

  /** Terminates it, wherever it is, and waits until it has gone. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
    await this.exit;
  }
}
