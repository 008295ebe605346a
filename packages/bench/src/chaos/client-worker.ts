import { parentPort, workerData } from "node:worker_threads";
import { type ClusterHandle, connect } from "@synod/runtime";
import { JournalWriter } from "./journal.js";
import { Ledger } from "./ledger.js";
import type { ChaosMachine } from "./machine.js";
import { Workload, type WorkloadOptions } from "./workload.js";

/** What a client thread is given. */
export interface ClientSpec {
  readonly handle: ClusterHandle<ChaosMachine>;
  readonly journal: SharedArrayBuffer;
  readonly ledger: SharedArrayBuffer;
  readonly workload: WorkloadOptions;
}

export type ClientRequest =
  | { readonly kind: "burst"; readonly factor: number; readonly durationMs: number }
  | { readonly kind: "stop" };

export type ClientNotice =
  | { readonly kind: "started" }
  | { readonly kind: "violation"; readonly text: string }
  /** Everything has settled. `errors`: how many operations failed, by code. */
  | { readonly kind: "stopped"; readonly errors: Readonly<Record<string, number>> };

const { handle, journal, ledger, workload: options } = workerData as ClientSpec;

const tell = (notice: ClientNotice): void => parentPort?.postMessage(notice);

const client = await connect(handle);
const workload = new Workload(
  client,
  new JournalWriter(journal),
  new Ledger(ledger, options.generations.originMs),
  options,
  text => tell({ kind: "violation", text }),
);
parentPort?.on("message", async (request: ClientRequest) => {
  switch (request.kind) {
    case "burst":
      workload.burst(request.factor, request.durationMs);
      break;
    case "stop":
      await workload.stop();
      await client.close();
      tell({ kind: "stopped", errors: workload.errors });
      parentPort?.close();
      break;
  }
});
workload.start();
tell({ kind: "started" });
