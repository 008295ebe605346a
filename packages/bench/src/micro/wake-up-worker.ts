import { parentPort, workerData } from "node:worker_threads";
import {
  type Doorbell,
  openInbox,
  openOutbox,
  type ReceivingEnd,
  type SendingEnd,
} from "@synod/runtime/mailbox";

/** What the thread that answers is given. */
export interface WakeUpSpec {
  readonly doorbell: Doorbell;
  readonly receiving: ReceivingEnd;
  readonly sending: SendingEnd;
}

const { doorbell, receiving, sending } = workerData as WakeUpSpec;
const inbox = openInbox({ kind: "ring", doorbell, waiting: "thread", lanes: [["sender", receiving]] });
const outbox = openOutbox(sending);
const sleepsAtMostMs = 1000;

parentPort?.postMessage("ready");
// It ends by being terminated.
for (;;) {
  const taken = inbox.receive((_, frame) => {
    outbox.send(frame, "bulk");
    outbox.flush();
  }, 1);
  if (taken === 0) inbox.park(sleepsAtMostMs);
}
