import { batchingShape, clusterRow } from "./cluster-row.js";

/** The batching row with MessagePort mailboxes: what the ring buys. */
export const messagePort = clusterRow({
  id: "message-port",
  adds: "the same over MessagePorts",
  variantOf: "batching",
  shape: options => ({ ...batchingShape(options), mailbox: "port" }),
});
