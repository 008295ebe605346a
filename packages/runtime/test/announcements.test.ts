import { afterEach, expect, test } from "vitest";
import { ActorClients, announce, ClientRegistry } from "../dist/announcements.js";
import { createHandle } from "../dist/handle.js";
import { createDoorbell } from "../dist/mailbox/index.js";
import { resolveOptions } from "../dist/options.js";
import { createPresence, Presence } from "../dist/presence.js";
import { machine, until } from "./support.js";

const listeners: { close(): void }[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});

function openRegistry() {
  const entrances = [{ name: "learner-0", doorbell: createDoorbell() }];
  const options = resolveOptions({ stateMachine: machine });
  const handle = createHandle({ proposers: 1, acceptors: 1, learners: 1 }, options, entrances);
  const registry = new ClientRegistry(handle);
  listeners.push(registry);
  return { handle, registry };
}

/** An actor that starts to listen now. */
function openActor(channel: string) {
  const attached: string[] = [];
  const clients = new ActorClients(channel, "learner-0", ({ peer }) => attached.push(peer));
  listeners.push(clients);
  return { attached, clients };
}

const announcementOf = (client: string) => ({
  client,
  presence: createPresence(),
  ends: { "learner-0": { peer: client } },
});

const turns = <T>(look: () => T) =>
  new Promise<T>(resolve => {
    setImmediate(() => resolve(look()));
  });

test("an actor that starts late is given those that are here, once each, and none that has left", async () => {
  const { handle, registry } = openRegistry();
  const [stays, leaves] = [announcementOf("client-1"), announcementOf("client-2")];
  announce(handle, stays);
  announce(handle, leaves);
  expect(registry.names()).toEqual(["client-1", "client-2"]);
  const early = openActor(handle.channel);
  await until(
    () => turns(() => early.attached),
    ({ length }) => length === 2,
  );

  new Presence(leaves.presence).leave();
  const late = openActor(handle.channel);
  announce(handle, announcementOf("client-3"));
  await until(
    () => turns(() => late.attached),
    ({ length }) => length === 2,
  );
  expect([...late.attached].sort()).toEqual(["client-1", "client-3"]);
  expect(early.attached).toEqual(["client-1", "client-2", "client-3"]);
});

test("what an announcement says counts less than whether the client is here when it is heard", async () => {
  const { handle, registry } = openRegistry();
  const { attached, clients } = openActor(handle.channel);
  const [first, second] = [announcementOf("client-1"), announcementOf("client-2")];
  announce(handle, first);
  await until(
    () => turns(() => attached),
    ({ length }) => length === 1,
  );

  // Taken for dead, and back before anybody looked: the farewell is not true any more.
  const presence = new Presence(first.presence);
  presence.expel();
  announce(handle, { ...first, ends: {} });
  expect(presence.beat()).toBe(true);
  expect(presence.beat()).toBe(false);
  // Gone before anybody heard of it.
  new Presence(second.presence).leave();
  announce(handle, second);
  announce(handle, announcementOf("client-3"));
  await until(
    () => turns(() => attached),
    ({ length }) => length === 2,
  );
  expect(attached).toEqual(["client-1", "client-3"]);
  expect(clients.takeDeparted()).toEqual([]);
  expect(registry.names()).toEqual(["client-1", "client-3"]);

  presence.leave();
  announce(handle, { ...first, ends: {} });
  await until(
    () => turns(() => clients.takeDeparted()),
    ({ length }) => length === 1,
  );
  expect(clients.count).toBe(1);
  expect(registry.names()).toEqual(["client-3"]);
});
