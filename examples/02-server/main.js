// Real load on the server; in the middle of it a worker thread and an acceptor are killed. Every request must get its
// proper answer, and what was counted must be what was answered. `node main.js redis` does the same with Redis.
import assert from "node:assert/strict";
import { once } from "node:events";
import { load, logIn, profilesOf, visitsOf } from "./load.js";
import { startSite } from "./site.js";

const state = process.argv[2] ?? "synod";
const visits = 800;
const reads = 800;
const users = Array.from({ length: 10 }, (_, index) => `user ${index}`);
const limit = { capacity: 150, refillPerSecond: 1 };

const site = await startSite({ state, threads: 3, limit });
try {
  const sessions = await logIn(site.url, users);
  const [greedy] = await logIn(site.url, ["greedy"]);
  console.log("3 worker threads behind one port");

  const killed = killInTheMiddle();
  const startedAt = performance.now();
  const [writing, reading, refused] = await Promise.all([
    load({ url: site.url, connections: 10, requests: visitsOf(sessions), amount: visits }),
    load({ url: site.url, connections: 10, requests: profilesOf(sessions), amount: reads }),
    load({ url: site.url, connections: 2, requests: visitsOf([greedy]), amount: 2 * limit.capacity }),
    killed,
  ]);
  const seconds = (performance.now() - startedAt) / 1000;

  for (const { errors, timeouts, resets } of [writing, reading, refused])
    assert.deepEqual({ errors, timeouts, resets }, { errors: 0, timeouts: 0, resets: 0 });
  assert.deepEqual(writing.statuses, { 200: visits });
  assert.deepEqual(reading.statuses, { 200: reads });
  console.log(`${visits} visits and ${reads} reads were answered, none with an error`);

  const served = refused.statuses[200];
  assert.equal(served + refused.statuses[429], 2 * limit.capacity);
  assert.ok(served >= limit.capacity && served <= limit.capacity + limit.refillPerSecond * seconds + 1);
  console.log("who asked for too much got what the limit allows, and 429 for the rest");

  const profiles = await Promise.all([...sessions, greedy].map(headers => get("/me", headers)));
  const sum = profiles.reduce((total, profile) => total + profile.visits, 0);
  assert.equal(profiles.at(-1).visits, served);
  assert.equal(sum, visits + served);
  assert.deepEqual(await get("/visits"), { visits: sum });
  console.log("the counters are what was answered: none lost, none counted twice");

  await newThreadAnswers();
  console.log("the thread that was replaced answers requests");
} finally {
  await site.close();
}

async function get(path, headers) {
  const response = await fetch(site.url + path, { headers });
  assert.equal(response.status, 200);
  return response.json();
}

/** Resolves when a third of the requests are answered. */
function underLoad() {
  const enough = (visits + reads) / 3;
  return new Promise(resolve => {
    site.front.onAnswer = () => {
      if (site.front.answered >= enough) resolve();
    };
  });
}

async function killInTheMiddle() {
  await underLoad();
  // One that is at work: the requests that it has not answered are the front's to save.
  const [worker] = site.pool.threads;
  if (site.cluster === undefined) {
    await worker.terminate();
    console.log("killed a worker thread under load");
    return;
  }
  const up = once(site.cluster, "actorUp");
  await Promise.all([worker.terminate(), site.cluster.faults.kill("acceptor-1")]);
  console.log("killed a worker thread and an acceptor under load");
  const [{ actor }] = await up;
  assert.equal(actor, "acceptor-1");
}

/** Four threads have answered: the three of the beginning, and the one in the place of the killed. */
async function newThreadAnswers() {
  while (site.front.threadsSeen.size < 4) await Promise.all(Array.from({ length: 20 }, () => get("/visits")));
}
