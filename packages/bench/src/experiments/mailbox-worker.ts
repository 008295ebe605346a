import { parentPort, workerData } from "node:worker_threads";
import { type Doorbell, type MailboxKind, openInbox, type ReceivingEnd } from "@synod/runtime/mailbox";

/** What the receiving thread of the mailbox experiment is given. */
export interface MailboxReceiverSpec {
  readonly kind: MailboxKind;
  readonly doorbell: Doorbell;
  readonly receiving: ReceivingEnd;
}

const { kind, doorbell, receiving } = workerData as MailboxReceiverSpec;
const inbox = openInbox({ kind, doorbell, waiting: "thread", lanes: [["sender", receiving]] });

// Each message says how many frames are to be taken; the answer says that they have been.
parentPort?.on("message", async (frames: number) => {
  let taken = 0;
  const take = () => {
    taken += 1;
  };
  while (taken < frames) {
    if (inbox.receive(take, 1024) === 0) await inbox.park(1000);
  }
  parentPort?.postMessage("taken");
});
parentPort?.postMessage("ready");
