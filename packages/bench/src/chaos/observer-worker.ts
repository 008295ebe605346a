import { parentPort } from "node:worker_threads";
import { type Generations, HistoryCheck, type HistoryCounts } from "./history-check.js";
import { JournalReader } from "./journal.js";
import { type Recovery, RecoveryClock, type Strike } from "./recovery.js";

export type ObserverRequest =
  | { readonly kind: "begin"; readonly generations: Generations }
  | {
      readonly kind: "add";
      readonly client: number;
      readonly journal: SharedArrayBuffer;
      readonly sinceMs: number;
    }
  | { readonly kind: "ended"; readonly client: number }
  | { readonly kind: "struck"; readonly strike: Strike }
  | { readonly kind: "finish" };

export type ObserverNotice =
  | { readonly kind: "added"; readonly client: number }
  | { readonly kind: "violation"; readonly text: string }
  | { readonly kind: "recovered"; readonly recovery: Recovery }
  | { readonly kind: "finished"; readonly counts: HistoryCounts; readonly open: number };

/** Often enough that no journal is ever full. */
const pollMs = 20;

/** Reads what the clients note, and checks it on a thread of its own, so that it stops nobody. */
class Observer {
  readonly #journals = new Map<number, JournalReader>();
  readonly #recovery = new RecoveryClock(recovery => tell({ kind: "recovered", recovery }));
  readonly #history: HistoryCheck;

  constructor(generations: Generations) {
    this.#history = new HistoryCheck(generations, text => tell({ kind: "violation", text }));
  }

  add(client: number, journal: SharedArrayBuffer, sinceMs: number): void {
    this.#history.add(client, sinceMs);
    this.#journals.set(client, new JournalReader(journal));
    tell({ kind: "added", client });
  }

  ended(client: number): void {
    this.#drain(client);
    this.#journals.delete(client);
    this.#history.ended(client);
    this.#recovery.ended(client);
  }

  struck(strike: Strike): void {
    this.#recovery.struck(strike);
  }

  poll(): void {
    for (const client of this.#journals.keys()) this.#drain(client);
    this.#history.check();
  }

  finish(): void {
    this.poll();
    const { open } = this.#history;
    for (const client of [...this.#journals.keys()]) this.ended(client);
    this.#history.check(true);
    tell({ kind: "finished", counts: this.#history.counts, open });
  }

  #drain(client: number): void {
    for (const record of this.#journals.get(client)?.take() ?? []) {
      if (record.kind === "probe") {
        this.#recovery.completed(client, record.calledAtMs, record.returnedAtMs);
      } else if (record.kind === "return") {
        const calledAtMs = this.#history.calledAtMs(client, record.number);
        this.#recovery.completed(client, calledAtMs, record.atMs);
      }
      this.#history.record(client, record);
    }
  }
}

function tell(notice: ObserverNotice): void {
  parentPort?.postMessage(notice);
}

let observer: Observer | undefined;
parentPort?.on("message", (request: ObserverRequest) => {
  switch (request.kind) {
    case "begin":
      observer = new Observer(request.generations);
      setInterval(() => observer?.poll(), pollMs).unref();
      break;
    case "add":
      observer?.add(request.client, request.journal, request.sinceMs);
      break;
    case "ended":
      observer?.ended(request.client);
      break;
    case "struck":
      observer?.struck(request.strike);
      break;
    case "finish":
      observer?.finish();
      break;
  }
});
