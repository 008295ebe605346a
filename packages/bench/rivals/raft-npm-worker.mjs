// A follower in its own thread.
import { parentPort, workerData } from "node:worker_threads";
import { RaftNode, tickMs } from "./raft-npm-node.mjs";

const node = new RaftNode(workerData, () => {});

function post() {
  const messages = node.outbox[1];
  if (messages.length === 0) return;
  node.outbox[1] = [];
  parentPort?.postMessage(messages);
}

parentPort?.on("message", message => {
  if (message === "digest") return parentPort?.postMessage(node.digest());
  node.turn(message);
  post();
});
setInterval(() => {
  node.tick();
  post();
}, tickMs);
parentPort?.postMessage([]);
