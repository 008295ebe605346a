// Three voters of @coaty/consensus.raft: the leader on the clients' thread, each follower in a worker thread. What is
// proposed in one turn of the event loop becomes one entry of the log.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { RaftNode, tickMs } from "./raft-npm-node.mjs";

const commandsMax = 4096;
const electedWithinMs = 10_000;

export async function connect() {
  /** @type {(() => void)[]} */
  let waiting = [];
  let head = 0;
  const node = new RaftNode(1, commands => {
    for (const end = head + commands; head < end; head++) waiting[head]?.();
    if (head < 65_536) return;
    waiting = waiting.slice(head);
    head = 0;
  });
  /** @type {object[]} */
  let queue = [];
  const followers = [2, 3].map(id => {
    const worker = new Worker(new URL("./raft-npm-worker.mjs", import.meta.url), { workerData: id });
    return { id, worker };
  });
  const post = () => {
    for (const { id, worker } of followers) {
      const messages = node.outbox[id];
      if (messages === undefined || messages.length === 0) continue;
      node.outbox[id] = [];
      worker.postMessage(messages);
    }
  };
  const pump = () => {
    for (let from = 0; from < queue.length; from += commandsMax) {
      node.propose(queue.slice(from, from + commandsMax));
    }
    queue = [];
    node.turn([]);
    post();
  };
  await Promise.all(followers.map(({ worker }) => once(worker, "message")));
  for (const { worker } of followers) {
    worker.on("message", message => {
      if (typeof message === "string") return;
      node.turn(message);
      pump();
    });
  }
  const ticking = setInterval(() => {
    node.tick();
    pump();
  }, tickMs);
  node.campaign();
  post();
  const giveUpAt = performance.now() + electedWithinMs;
  while (!node.leads) {
    if (performance.now() > giveUpAt) throw new Error("nobody was elected");
    await new Promise(resolve => setTimeout(resolve, tickMs));
  }
  const digests = () =>
    Promise.all(
      followers.map(async ({ worker }) => {
        worker.postMessage("digest");
        for (;;) {
          const [message] = await once(worker, "message");
          if (typeof message === "string") return message;
        }
      }),
    );
  return {
    /** @param {object} command */
    write: command =>
      new Promise(resolve => {
        queue.push(command);
        waiting.push(() => resolve(undefined));
        if (queue.length === 1) queueMicrotask(pump);
      }),
    /** Throws where the three maps differ once all have applied everything. */
    async written() {
      for (const giveUp = performance.now() + electedWithinMs; ; ) {
        const others = await digests();
        if (others.every(other => other === node.digest())) return node.applied;
        if (performance.now() > giveUp)
          throw new Error(`the members differ: ${[node.digest(), ...others].join(", ")}`);
      }
    },
    async close() {
      clearInterval(ticking);
      await Promise.all(followers.map(({ worker }) => worker.terminate()));
    },
  };
}
