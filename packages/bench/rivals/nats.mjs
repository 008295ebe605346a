// One stream, kept in memory on one server, whose subjects hold the key. It keeps the newest messages, as a log that is
// trimmed does.
import { DiscardPolicy, jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect as open } from "@nats-io/transport-node";

const messagesKept = 100_000;
/** A publish that is queued behind thousands of others takes its time. */
const timeoutMs = 60_000;

/** @param {{ port: number }} options */
export async function connect({ port }) {
  const connection = await open({ servers: `127.0.0.1:${port}` });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: "log",
    subjects: ["set.*"],
    storage: StorageType.Memory,
    num_replicas: 1,
    max_msgs: messagesKept,
    discard: DiscardPolicy.Old,
  });
  const stream = jetstream(connection, { timeout: timeoutMs });
  return {
    /** @param {{ key: string }} command @param {string} text */
    write: ({ key }, text) => stream.publish(`set.${key}`, text),
    /** Messages are numbered from 1. */
    written: async () => (await manager.streams.info("log")).state.last_seq,
    close: () => connection.close(),
  };
}
