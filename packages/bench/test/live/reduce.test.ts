import { expect, test } from "vitest";
import { LiveHistory } from "../../dist/live/history.js";
import { liveLimits } from "../../dist/live/limits.js";
import type { LiveState, LiveUpdate } from "../../dist/live/messages.js";
import { bytesText, emptyPage, millisecondsText, reduce, wholeText } from "../../dist/live/page/reduce.js";

const state: LiveState = {
  phase: { kind: "starting", why: "it starts" },
  settings: { batch: null, pipeline: 16, trace: false },
  clients: 8,
  leader: null,
  actors: [],
};
const chart = { columns: [], rows: [], note: "nothing" };
const sample = (atMs: number) => ({ atMs, commitsPerSecond: 1, p50Ms: null, p99Ms: null });

test("what a page makes of all updates is what a page is told that comes later", () => {
  const history = new LiveHistory(state);
  let early = emptyPage;
  history.subscribe(update => {
    early = reduce(early, update);
  });
  for (let at = 0; at < liveLimits.samplesKept + 3; at++) history.sampled(sample(at));
  for (let at = 0; at < liveLimits.eventsKept + 3; at++) history.happened({ kind: "you", text: `${at}` });
  history.changed({ clients: 16, phase: { kind: "running" } });
  history.drawn(chart);
  let late = emptyPage;
  const unsubscribe = history.subscribe(update => {
    late = reduce(late, update);
  });
  expect(late).toEqual(early);
  expect(late.live).toEqual({ ...state, clients: 16, phase: { kind: "running" } });
  expect(late.samples).toHaveLength(liveLimits.samplesKept);
  expect(late.samples[0]?.atMs).toBe(3);
  expect(late.events.map(({ text }) => text).slice(0, 1)).toEqual(["3"]);
  expect(late.events.at(-1)?.id).toBe(liveLimits.eventsKept + 3);
  expect(late.chart).toEqual(chart);
  unsubscribe();
  const shown = late;
  history.sampled(sample(9));
  expect(late).toBe(shown);
});

test("a welcome replaces what was shown before: the stream has begun anew", () => {
  const welcome: LiveUpdate = { type: "welcome", state, samples: [sample(5)], events: [], chart: null };
  const before = reduce(reduce(emptyPage, welcome), { type: "chart", chart });
  expect(reduce(before, welcome)).toEqual({ live: state, samples: [sample(5)], events: [], chart: null });
});

test("figures, and a dash for what is not known", () => {
  expect([null, 0.0412, 12.34, 1234.5].map(millisecondsText)).toEqual([
    "–",
    "0.04 ms",
    "12.3 ms",
    "1,235 ms",
  ]);
  expect([null, 0, 12_345.6].map(wholeText)).toEqual(["–", "0", "12,346"]);
  expect([null, 0, 812, 1229, 3_565_158].map(bytesText)).toEqual(["–", "0", "812 B", "1.2 KiB", "3.4 MiB"]);
});
