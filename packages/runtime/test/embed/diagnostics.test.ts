import { AsyncLocalStorage } from "node:async_hooks";
import {
  type ChannelListener,
  channel,
  subscribe,
  tracingChannel,
  unsubscribe,
} from "node:diagnostics_channel";
import { once } from "node:events";
import {
  type ActorMessage,
  type ApplyMessage,
  type BatchMessage,
  type Client,
  Cluster,
  type LeaderMessage,
  type ProposeContext,
  type SnapshotMessage,
} from "@synod/runtime";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type AnyMachine, errorOf, fixture, until } from "../support.js";

let cluster: Cluster<AnyMachine>;
let client: Client<AnyMachine>;
let elected: LeaderMessage[];

/** Everything that is said on a channel of this thread from now on, for the rest of the test. */
function listen<Message>(name: string, undo = onTestFinished): Message[] {
  const heard: Message[] = [];
  const listener: ChannelListener = message => heard.push(message as Message);
  subscribe(name, listener);
  undo(() => void unsubscribe(name, listener));
  return heard;
}

beforeAll(async () => {
  elected = listen<LeaderMessage>("synod:leader", afterAll as unknown as typeof onTestFinished);
  const stateMachine = fixture("listening.mjs");
  cluster = await Cluster.start<AnyMachine>({ stateMachine, snapshot: { everyCommands: 10 } });
  client = await cluster.connect();
});
afterAll(() => cluster.close());

test("synod:leader tells who was elected, and in which cluster", () => {
  expect(elected).toHaveLength(1);
  expect(elected[0]?.cluster).toBe(cluster);
  expect(elected[0]).toMatchObject({ leader: "proposer-0", ballot: { round: 1 } });
});

test("tracing:synod:propose follows each call, in the caller's context", async () => {
  const calls = new AsyncLocalStorage<string>();
  const told: [event: string, context: ProposeContext, call: string | undefined][] = [];
  const note = (event: string) => (context: unknown) =>
    void told.push([event, { ...(context as ProposeContext) }, calls.getStore()]);
  const listeners = {
    start: note("start"),
    end: note("end"),
    asyncStart: note("asyncStart"),
    asyncEnd: note("asyncEnd"),
    error: note("error"),
  };
  const tracing = tracingChannel<unknown, ProposeContext>("synod:propose");
  tracing.subscribe(listeners);
  const settled = await calls.run("a", () =>
    Promise.allSettled([client.propose(1), client.propose("throw"), client.propose(() => 1)]),
  );
  tracing.unsubscribe(listeners);
  await client.propose(2);

  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(told.map(([event]) => event).toSorted()).toEqual(
    ["start", "end", "asyncStart", "asyncEnd"]
      .flatMap(event => [event, event, event])
      .concat("error", "error")
      .toSorted(),
  );
  expect(told.map(([, , call]) => call)).toEqual(told.map(() => "a"));
  const ends = told.filter(([event]) => event === "asyncEnd").map(([, context]) => context);
  expect(ends).toContainEqual({ client: client.name, command: 1, result: 1 });
  expect(ends.map(({ error }) => (error as { code?: string } | undefined)?.code).toSorted()).toEqual([
    "NOT_SERIALIZABLE",
    "STATE_MACHINE_FAILED",
    undefined,
  ]);
});

test("synod:batch tells of the commands that leave together", async () => {
  const batches = listen<BatchMessage>("synod:batch");
  await Promise.all(Array.from({ length: 100 }, (_, index) => client.propose(index)));
  expect(batches.reduce((all, { commands }) => all + commands, 0)).toBe(100);
  expect(batches.length).toBeLessThan(100);
  let next = batches[0]?.firstSequence;
  for (const { client: name, firstSequence, commands, bytes } of batches) {
    expect(name).toBe(client.name);
    expect(firstSequence).toBe(next);
    expect(bytes).toBeGreaterThan(commands);
    next = firstSequence + commands;
  }
});

test("synod:apply and synod:snapshot are told on the learners' threads, and nothing else is", async () => {
  const here = listen("synod:apply");
  type Heard = (ApplyMessage | SnapshotMessage) & { readonly name: string };
  const heard: Heard[] = await until(
    async () => {
      // Learners take turns, and this client asks one of them only.
      await Promise.all(Array.from({ length: 10 }, (_, index) => client.propose(index)));
      return client.query("heard");
    },
    (seen: Heard[]) => seen.some(message => "phase" in message && message.instance !== undefined),
  );
  expect(new Set(heard.map(({ name }) => name))).toEqual(new Set(["synod:apply", "synod:snapshot"]));
  expect(new Set(heard.map(({ learner }) => learner)).size).toBe(1);
  let next = 0;
  for (const message of heard) {
    if ("phase" in message) continue;
    expect(message.firstInstance).toBe(next);
    expect(message.ms).toBeGreaterThanOrEqual(0);
    next += message.count;
  }
  const taken = heard.find(message => "phase" in message && message.error === undefined);
  expect(taken).toMatchObject({ phase: "snapshot", bytes: expect.any(Number), ms: expect.any(Number) });
  expect(here).toEqual([]);
});

test("synod:actor tells of threads that end and come back", async () => {
  const told = listen<ActorMessage>("synod:actor");
  const up = once(cluster, "actorUp");
  await cluster.faults.kill("acceptor-2");
  await up;
  expect(told.every(message => message.cluster === cluster)).toBe(true);
  expect(told.map(({ event, actor }) => [event, actor])).toEqual([
    ["actorDown", "acceptor-2"],
    ["actorUp", "acceptor-2"],
  ]);
});

test("what a subscriber throws does not reach the cluster", async () => {
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const thrownLater = new Promise(resolve => process.once("uncaughtException", resolve));
  const failing: ChannelListener = () => {
    throw new RangeError("a subscriber's");
  };
  subscribe("synod:batch", failing);
  await client.propose(1);
  unsubscribe("synod:batch", failing);
  const thrown = await thrownLater;
  for (const listener of listeners) process.on("uncaughtException", listener);
  expect(thrown).toEqual(new RangeError("a subscriber's"));
  expect(channel("synod:batch").hasSubscribers).toBe(false);
  await errorOf(client.propose("throw"), "STATE_MACHINE_FAILED");
});
