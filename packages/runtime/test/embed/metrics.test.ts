import { type ActorMetricsSnapshot, type Client, Cluster, type ClusterMetrics } from "@synod/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { actorMetrics, clientMetrics, roleMetrics } from "../../dist/metrics/definitions.js";
import { type AnyMachine, errorOf, machine, until } from "../support.js";

let cluster: Cluster<AnyMachine>;
let client: Client<AnyMachine>;
let leaderless: ClusterMetrics;

beforeAll(async () => {
  cluster = await Cluster.start<AnyMachine>({ stateMachine: machine, snapshot: { everyBytes: 20_000 } });
  leaderless = await cluster.metrics();
  client = await cluster.connect();
});
afterAll(() => cluster.close());

type Role = ActorMetricsSnapshot["role"];
type Of<R extends Role> = Extract<ActorMetricsSnapshot, { role: R }>;

function ofRole<R extends Role>({ actors }: ClusterMetrics, role: R): Of<R>[] {
  return actors.filter((actor): actor is Of<R> => actor.role === role);
}

/** Proposes so many commands, so many at a time. */
async function propose(commands: number, atOnce: number): Promise<void> {
  for (let id = 0; id < commands; id += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, index) => client.propose({ id: id + index })));
  }
}

/** All learners have applied as much as was ever committed. */
const settled = () =>
  until(
    () => cluster.metrics(),
    seen =>
      ofRole(seen, "learner").every(
        ({ appliedBelow, chosenBelow, appliedCommands }) =>
          appliedCommands === seen.commits && appliedBelow === chosenBelow,
      ),
  );

/** Counters, and how much is in each histogram: all that must never go back. */
function countsOf(metrics: ClusterMetrics): Record<string, number> {
  const counts: Record<string, number> = {
    commits: metrics.commits,
    leaderChanges: metrics.leaderChanges,
  };
  for (const actor of metrics.actors) {
    for (const [name, { kind }] of Object.entries({ ...actorMetrics, ...roleMetrics[actor.role] })) {
      const value = (actor as unknown as Record<string, unknown>)[name];
      if (kind === "counter") counts[`${actor.name} ${name}`] = value as number;
      if (kind === "histogram") counts[`${actor.name} ${name}`] = (value as { count: number }).count;
    }
  }
  return counts;
}

function expectNoStepBack(before: ClusterMetrics, after: ClusterMetrics): void {
  const now = countsOf(after);
  const back = Object.entries(countsOf(before)).filter(([name, count]) => !((now[name] ?? 0) >= count));
  expect(back).toEqual([]);
}

test("each actor and client has all that is defined for it, as plain data", async () => {
  await client.propose({ id: 1 });
  const metrics = await cluster.metrics();
  expect(structuredClone(metrics)).toEqual(metrics);
  expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  for (const actor of metrics.actors) {
    const names = Object.keys({ ...actorMetrics, ...roleMetrics[actor.role] });
    expect(Object.keys(actor).toSorted()).toEqual(["name", "role", ...names].toSorted());
    expect(Object.entries(actor).filter(([, value]) => value === null || value === undefined)).toEqual([]);
  }
  const [mine] = metrics.clients;
  expect(Object.keys(mine ?? {}).toSorted()).toEqual(["name", ...Object.keys(clientMetrics)].toSorted());
  expect(metrics.connectedClients).toBe(1);
});

test("commands, batches and frames are counted where they come by", async () => {
  const before = await settled();
  await propose(2000, 500);
  const after = await settled();
  expect(after.commits - before.commits).toBe(2000);
  const proposer = ofRole(after, "proposer").find(({ leads }) => leads === 1);
  expect(proposer?.batchCommands.sum).toBe(proposer?.chosenBelow);
  expect(proposer?.batchCommands.count).toBe(proposer?.chooseMs.count);
  expect(proposer?.queueMs.count).toBeGreaterThan(0);
  expect(proposer?.batchBytes.sum).toBeGreaterThan(2000);
  for (const acceptor of ofRole(after, "acceptor")) {
    expect(acceptor.acceptedCommands).toBe(proposer?.batchCommands.sum);
    expect(acceptor.acceptedBatches).toBe(acceptor.acceptMs.count);
  }
  for (const learner of ofRole(after, "learner")) {
    expect(learner.appliedCommands).toBe(after.commits);
    expect(learner.applyMs.count).toBe(learner.appliedBatches);
    expect(learner.learnMs.count).toBeGreaterThan(0);
    expect(learner.sessions).toBe(1);
    expect(learner.backlogBytes).toBe(0);
  }
  for (const actor of after.actors) {
    expect(actor.lostWakeUps).toBe(0);
    expect(actor.receivedBytes).toBeGreaterThan(actor.receivedFrames);
    expect(actor.turnMs.count).toBeGreaterThan(0);
  }
});

test("a client counts and times its commands and queries, and tells what is open", async () => {
  const before = client.metrics();
  const open = Array.from({ length: 300 }, (_, id) => client.propose({ id }));
  const asked = client.query("length");
  expect(client.metrics()).toMatchObject({ openCommands: 300, openQueries: 1 });
  await Promise.all([...open, asked]);
  const after = client.metrics();
  expect(after).toMatchObject({ openCommands: 0, queuedCommands: 0, queuedBytes: 0, openQueries: 0 });
  expect(after.sentCommands - before.sentCommands).toBe(300);
  expect(after.answeredCommands - before.answeredCommands).toBe(300);
  expect(after.proposeMs.count).toBeGreaterThan(before.proposeMs.count);
  expect(after.queryMs.count - before.queryMs.count).toBe(1);
  expect((await cluster.metrics()).clients[0]?.name).toBe(client.name);
});

test("snapshots are counted, timed and weighed", async () => {
  const taken = await until(
    async () => {
      await propose(500, 500);
      return cluster.metrics();
    },
    seen => ofRole(seen, "learner").some(({ snapshotBytes }) => Number(snapshotBytes) > 0),
  );
  const learner = ofRole(taken, "learner").find(({ snapshotBytes }) => Number(snapshotBytes) > 0);
  expect(learner?.snapshotsTaken).toBeGreaterThan(0);
  expect(learner?.snapshotMs.count).toBe(learner?.snapshotsTaken);
  expect(learner?.snapshotsFailed).toBe(0);
});

test("nothing goes back when threads die, and their next lives go on counting", async () => {
  const before = await settled();
  const leader = (await cluster.status()).leader as string;
  for (const name of ["learner-1", "acceptor-0", leader]) await cluster.faults.kill(name);
  expectNoStepBack(before, await cluster.metrics());
  await propose(200, 20);
  const after = await until(
    () => settled(),
    ({ actors }) => actors.every(({ up }) => up === 1),
  );
  expectNoStepBack(before, after);
  const restarts = Object.fromEntries(after.actors.map(actor => [actor.name, actor.restarts]));
  expect(restarts).toMatchObject({ "learner-1": 1, "acceptor-0": 1, [leader]: 1, "learner-0": 0 });
  expect(after.commits - before.commits).toBe(200);
  expect(after.leaderChanges).toBeGreaterThan(before.leaderChanges);
  const elections = (metrics: ClusterMetrics) =>
    ofRole(metrics, "proposer").reduce((all, proposer) => all + proposer.elections, 0);
  expect(elections(after)).toBeGreaterThan(elections(before));
  const restored = ofRole(after, "learner").find(({ name }) => name === "learner-1");
  expect(restored?.snapshotsRestored).toBe(1);
  expect(restored?.restoreMs.count).toBe(1);
});

test("of an actor that stands still the counters are told, and its long turn afterwards", async () => {
  await cluster.faults.pause("acceptor-2", { ms: 1500 });
  const paused = ofRole(await cluster.metrics(), "acceptor")[2];
  expect(paused).toMatchObject({ up: 0, storageBytes: null, mailboxDepthBytes: null });
  expect(paused?.acceptedBatches).toBeGreaterThan(0);
  const later = await until(
    () => cluster.metrics(),
    seen => Number(ofRole(seen, "acceptor")[2]?.turnMs.max) >= 1500,
  );
  expect(ofRole(later, "acceptor")[2]).toMatchObject({ up: 1, restarts: 0 });
});

test("status says of each actor who leads, and what waits", async () => {
  const { leader, actors } = await until(
    () => cluster.status(),
    seen => seen.leader !== null && seen.actors.every(actor => actor.leader === seen.leader),
  );
  expect(leader).toMatch(/^proposer-/);
  for (const { role, mailbox, queuedCommands, sessions, backlogBytes } of actors) {
    expect(mailbox?.depthBytesMax).toBeGreaterThanOrEqual(mailbox?.depthBytes ?? 0);
    expect(queuedCommands).toBe(role === "proposer" ? 0 : undefined);
    expect(sessions).toBe(role === "learner" ? 1 : undefined);
    expect(backlogBytes).toBe(role === "learner" ? 0 : undefined);
  }
});

test("the event loop is watched from the first look on", async () => {
  expect(leaderless.eventLoopDelay).toBeNull();
  const { eventLoopDelay } = await until(
    async () => {
      await new Promise(resolve => setTimeout(resolve, 20));
      return cluster.metrics();
    },
    seen => seen.eventLoopDelay !== null,
  );
  expect(eventLoopDelay?.maxMs).toBeGreaterThanOrEqual(eventLoopDelay?.p50Ms ?? 0);
});

test("a cluster that is closed has no metrics; its client still tells what it did", async () => {
  const other = await Cluster.start<AnyMachine>({ stateMachine: machine, mailbox: "port" });
  const connected = await other.connect();
  await connected.propose({ id: 1 });
  const { actors } = await other.metrics();
  expect(actors.every(({ up, receivedFrames }) => up === 1 && receivedFrames > 0)).toBe(true);
  await other.close();
  await errorOf(other.metrics(), "CLUSTER_CLOSED");
  expect(connected.metrics()).toMatchObject({ sentCommands: 1, answeredCommands: 1, openCommands: 0 });
});
