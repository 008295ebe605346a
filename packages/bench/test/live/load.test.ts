import { expect, test } from "vitest";
import { liveLimits } from "../../dist/live/limits.js";
import { AdjustableLoad } from "../../dist/live/load.js";
import type { LoadCommand } from "../../dist/load.js";

interface Open {
  readonly command: LoadCommand;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Commands wait until the test settles them. */
function heldLoad() {
  const open: Open[] = [];
  const failures: unknown[] = [];
  const load = new AdjustableLoad(
    command => new Promise<void>((resolve, reject) => open.push({ command, resolve, reject })),
    error => failures.push(error),
  );
  const settle = async (how: (one: Open) => void) => {
    for (const one of open.splice(0)) how(one);
    // The clients go on in microtasks.
    await new Promise(resolve => setImmediate(resolve));
  };
  return { load, open, failures, settle };
}

test("more clients begin at once, and those that are too many end with their command", async () => {
  const { load, open, settle } = heldLoad();
  load.setClients(3);
  expect(open.map(({ command }) => command.value)).toEqual([1, 2, 3]);
  load.setClients(5);
  expect(open).toHaveLength(5);
  load.setClients(2);
  expect(load.running).toBe(5);
  await settle(({ resolve }) => resolve());
  expect(load.running).toBe(2);
  expect(open.map(({ command }) => command.value)).toEqual([6, 7]);
  expect(load.read().commits).toBe(5);
  expect(load.read()).toEqual({ commits: 0, latencyMs: null });
});

test("a client that was to end, and is wanted again before its command is settled, goes on alone", async () => {
  const { load, open, settle } = heldLoad();
  load.setClients(2);
  load.setClients(0);
  load.setClients(2);
  expect(open).toHaveLength(2);
  await settle(({ resolve }) => resolve());
  expect(open).toHaveLength(2);
  expect(load.read()).toMatchObject({ commits: 2, latencyMs: { p50: expect.any(Number) } });
});

test("with many clients one of so many commits is timed, with few all", async () => {
  const { load, open, settle } = heldLoad();
  const clients = liveLimits.timedEvery * 10;
  load.setClients(clients);
  expect(open).toHaveLength(clients);
  await settle(({ resolve }) => resolve());
  expect(load.read()).toMatchObject({ commits: clients, latencyMs: { p99: expect.any(Number) } });
});

test("a failure is told and does not count, and stop waits for the last command", async () => {
  const { load, failures, open, settle } = heldLoad();
  load.setClients(2);
  const error = new Error("refused");
  let isStopped = false;
  const stopped = load.stop().then(() => {
    isStopped = true;
  });
  const [first] = open.splice(0, 1);
  first?.reject(error);
  await new Promise(resolve => setImmediate(resolve));
  expect(failures).toEqual([error]);
  expect(isStopped).toBe(false);
  await settle(({ resolve }) => resolve());
  await stopped;
  expect(load.running).toBe(0);
  expect(load.read().commits).toBe(1);
});
