// Watches a cluster from outside while its leader is killed under load, three times. Every command must be acknowledged
// exactly once. What happened when goes to stderr, what must hold goes to stdout.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Cluster } from "@synod/runtime";
import Counters from "@synod/runtime/counters";
import { Timeline } from "./timeline.js";

const kills = 3;
const callersPerClient = 16;

const cluster = await Cluster.start({ stateMachine: Counters, leaseMs: 200 });
const timeline = new Timeline();
cluster.on("leaderChanged", ({ leader }) => timeline.note(`${leader} leads`));
cluster.on("actorDown", ({ actor, reason }) => timeline.note(`${actor} is down: ${reason}`));
cluster.on("actorUp", ({ actor, downMs }) =>
  timeline.note(`${actor} is up again after ${downMs.toFixed(0)} ms`),
);

/** Resolves with the name of the proposer that leads. */
async function leaderNow() {
  for (;;) {
    const { leader } = await cluster.status();
    if (leader !== null) return leader;
  }
}

// Each caller counts in a counter of its own, one command after the other: the answer to its n-th command must be n. A
// command that was lost, or took effect twice, would show in the very next answer.
let isOver = false;
async function call(client, key) {
  let count = 0;
  while (!isOver) {
    count += 1;
    assert.equal(await client.propose({ op: "add", key }), count, `an answer to ${key}`);
    timeline.acknowledged();
  }
  return [key, count];
}

const clients = await Promise.all([1, 2].map(() => cluster.connect()));
const callers = clients.flatMap((client, c) =>
  Array.from({ length: callersPerClient }, (_, n) => call(client, `caller-${c}-${n}`)),
);
// Whoever's assertion fails ends the run.
const load = Promise.all(callers);
load.catch(() => undefined);

async function killTheLeader() {
  const seen = Promise.all([once(cluster, "actorDown"), once(cluster, "leaderChanged")]);
  await cluster.faults.kill(await leaderNow());
  await seen;
  await timeline.acknowledgements(2000);
}

for (let kill = 0; kill < kills; kill++) {
  await Promise.race([timeline.acknowledgements(2000), load]);
  await Promise.race([killTheLeader(), load]);
}
isOver = true;
const counts = await load;

for (const [key, count] of counts) {
  assert.equal(await clients[0].query({ op: "get", key }, { consistency: "linearizable" }), count, key);
}

timeline.print(process.stderr);
console.log(`the leader was killed ${kills} times, and each time a new leader was elected`);
console.log(`${counts.length} callers: every command was acknowledged, and took effect once`);
await cluster.close();
