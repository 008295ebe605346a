// The same server on Synod and on Redis, on this machine, in turns: requests per second and latency.
//   node examples/02-server/compare.js [rounds] [seconds per measurement]
import { load, logIn, profilesOf, visitsOf } from "./load.js";
import { findRedisServer } from "./redis-server.js";
import { startSite } from "./site.js";

const rounds = Number(process.argv[2] ?? 5);
const duration = Number(process.argv[3] ?? 5);
const connections = 32;
const threads = 2;
const users = Array.from({ length: 20 }, (_, index) => `user ${index}`);
// Nobody is refused: a refusal costs Synod nothing but a look at the replica, and would flatter it.
const limit = { capacity: 9_000_000, refillPerSecond: 9_000_000 };

const states = ["synod", "redis"];
if (findRedisServer() === undefined) {
  console.log(
    "redis-server is not on PATH, so there is nothing to compare with: install Debian's package redis-server",
  );
  states.pop();
}

const workloads = { "95 % reads, 5 % writes": 19, "half reads, half writes": 1, "writes only": 0 };
const results = [];
const sites = [];
try {
  for (const state of states) {
    const site = await startSite({ state, threads, limit });
    const sessions = await logIn(site.url, users);
    sites.push({ state, site, sessions });
  }
  // Round 0 warms up, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [workload, readsPerWrite] of Object.entries(workloads)) {
      // Who goes first takes turns as well.
      for (const { state, site, sessions } of round % 2 ? sites : [...sites].reverse()) {
        const requests = mixed(sessions, readsPerWrite);
        const result = await load({ url: site.url, connections, requests, duration: round ? duration : 1 });
        const { statuses, errors, timeouts } = result;
        if (errors + timeouts > 0 || Object.keys(statuses).some(status => status !== "200"))
          throw new Error(`${state}, ${workload}: ${JSON.stringify({ statuses, errors, timeouts })}`);
        if (round) results.push({ workload, state, ...result });
      }
    }
  }
} finally {
  for (const { site } of sites) await site.close();
}

const median = numbers => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const rows = [];
for (const workload of Object.keys(workloads)) {
  const of = state => results.filter(result => result.workload === workload && result.state === state);
  const rates = states.map(state => median(of(state).map(({ requests }) => requests.average)));
  for (const [index, state] of states.entries()) {
    const all = of(state).map(({ requests }) => Math.round(requests.average));
    rows.push({
      workload,
      state,
      "requests/s": Math.round(rates[index]),
      range: `${Math.min(...all)} to ${Math.max(...all)}`,
      "p50 ms": median(of(state).map(({ latency }) => latency.p50)),
      "p99 ms": median(of(state).map(({ latency }) => latency.p99)),
      "of Redis": states.length > 1 ? (rates[index] / rates[1]).toFixed(2) : "",
    });
  }
}
console.table(rows);
console.log(
  `${connections} connections, ${threads} worker threads; medians of ${rounds} rounds of ${duration} s each`,
);

/** Each user's requests in turn, so many reads for each write. */
function mixed(sessions, readsPerWrite) {
  const visits = visitsOf(sessions);
  const profiles = profilesOf(sessions);
  return visits.flatMap((visit, index) => [
    visit,
    ...Array.from({ length: readsPerWrite }, (_, read) => profiles[(index + read) % profiles.length]),
  ]);
}
