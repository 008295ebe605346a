import { BroadcastChannel, parentPort, workerData } from "node:worker_threads";
import { addIdentity } from "../identity-sum.js";
import type { LoadCommand } from "../load.js";

/** What a receiving thread is given: names of channels; answers only from the one that acknowledges. */
export interface BroadcastReceiverSpec {
  readonly commands: string;
  readonly answers: string | null;
}

/** What it has received so far; the sum is that of the commands' identities (identity-sum.ts). */
export interface Received {
  readonly count: number;
  readonly sum: number;
}

const spec = workerData as BroadcastReceiverSpec;
const answers = spec.answers === null ? undefined : new BroadcastChannel(spec.answers);
const map = new Map<string, number>();
let count = 0;
let sum = 0;

new BroadcastChannel(spec.commands).onmessage = event => {
  const commands = (event as { readonly data: LoadCommand[] }).data;
  for (const { key, value } of commands) {
    map.set(key, value);
    sum = addIdentity(sum, value);
  }
  count += commands.length;
  answers?.postMessage(commands.length);
};
parentPort?.on("message", () => parentPort?.postMessage({ count, sum } satisfies Received));
parentPort?.postMessage("ready");
