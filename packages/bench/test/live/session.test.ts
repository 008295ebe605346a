import { afterEach, beforeEach, expect, test } from "vitest";
import type { LiveUpdate } from "../../dist/live/messages.js";
import { emptyPage, type PageState, reduce } from "../../dist/live/page/reduce.js";
import { ActionRefused, LiveSession } from "../../dist/live/session.js";

const shape = { acceptors: 3, learners: 1, threads: "single" } as const;
const settings = { batch: null, pipeline: 16, trace: false } as const;

let session: LiveSession;
let page: PageState;
let tell: (() => void) | undefined;

beforeEach(async () => {
  session = await LiveSession.start(shape, 2, settings);
  page = emptyPage;
  session.subscribe((update: LiveUpdate) => {
    page = reduce(page, update);
    tell?.();
  });
});
afterEach(() => session.close());

/** Waits until the page shows it. */
async function shows(what: (page: PageState) => boolean): Promise<void> {
  while (!what(page)) {
    await new Promise<void>(resolve => {
      tell = resolve;
    });
  }
}
const texts = () => page.events.map(({ text }) => text);

test("the load goes on over a new start, with what was set", async () => {
  session.setClients(3);
  await shows(({ samples }) => samples.some(({ commitsPerSecond }) => commitsPerSecond > 0));
  const samples = page.samples.length;
  await session.restart({ batch: 2, pipeline: 1, trace: true });
  expect(page.live).toMatchObject({
    phase: { kind: "running" },
    settings: { batch: 2, pipeline: 1, trace: true },
    clients: 3,
  });
  expect(texts()).toEqual(
    expect.arrayContaining([
      "you changed the load to 3 clients",
      "the cluster starts anew with batches of 2, pipeline 1, traced",
    ]),
  );
  await shows(now => now.samples.slice(samples).some(({ commitsPerSecond }) => commitsPerSecond > 0));
  // No batch has more than two commands, and its messages are drawn as they were sent.
  await shows(({ chart }) => chart?.rows.some(({ label }) => label.startsWith("Accepted(")) ?? false);
  expect(page.chart?.note).toMatch(/^Instance|^Instances (\d+) to \d+, one batch/);
});

test("while the cluster is started anew nothing else can be done to it", async () => {
  const started = session.restart({ ...settings, pipeline: 2 });
  await expect(session.kill("acceptor-0")).rejects.toThrow(ActionRefused);
  await expect(session.pause("acceptor-0", 10)).rejects.toThrow(ActionRefused);
  expect(() => session.setClients(5)).toThrow(ActionRefused);
  await expect(session.restart(settings)).rejects.toThrow("wait until it does");
  await started;
  expect(page.live).toMatchObject({ phase: { kind: "running" }, settings: { pipeline: 2 }, clients: 2 });
  expect(texts().filter(text => text.startsWith("you "))).toEqual([]);
});

test("an actor that does not exist is refused by the names of those that do, and the log is silent", async () => {
  await expect(session.kill("acceptor-9")).rejects.toThrow("acceptor-0, acceptor-1, acceptor-2, learner-0");
  await expect(session.pause("acceptor-9", 10)).rejects.toThrow(ActionRefused);
  expect(texts().filter(text => text.startsWith("you "))).toEqual([]);
});

test("it can be closed while it starts anew", async () => {
  const started = session.restart({ ...settings, batch: 1 });
  await session.close();
  await started;
  await expect(session.kill("acceptor-0")).rejects.toThrow(ActionRefused);
});
