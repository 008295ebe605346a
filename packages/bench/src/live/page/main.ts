import { liveLimits } from "../limits.js";
import type { LiveState, LiveUpdate } from "../messages.js";
import { showActors } from "./actors.js";
import { LiveCharts } from "./charts.js";
import { connectForms, enableForms, fillForms } from "./controls.js";
import { byId, setText } from "./dom.js";
import { showLog } from "./log.js";
import { emptyPage, millisecondsText, type PageState, reduce, wholeText } from "./reduce.js";
import { showMessages } from "./sequence.js";

const charts = new LiveCharts();
let page = emptyPage;
let isDrawn = true;

connectForms();
const stream = new EventSource("events");
stream.addEventListener("message", ({ data }) => {
  const update = JSON.parse(data as string) as LiveUpdate;
  const isFirst = page.live === null;
  page = reduce(page, update);
  if (isFirst && page.live !== null) fillForms(page.live);
  drawLater();
});
stream.addEventListener("error", () => {
  showPhase("gone", "no connection: has the command ended?");
});

/** Once for all updates of a frame. */
function drawLater(): void {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    draw(page);
  });
}

function draw({ live, samples, events, chart }: PageState): void {
  if (live === null) return;
  showPhase(live.phase.kind, phaseText(live.phase));
  setText(byId("leader"), live.leader ?? "none");
  setText(byId("clients-now"), wholeText(live.clients));
  const sample = samples.at(-1);
  setText(byId("commits-now"), wholeText(sample?.commitsPerSecond ?? 0));
  setText(byId("p50-now"), millisecondsText(sample?.p50Ms ?? null));
  setText(byId("p99-now"), millisecondsText(sample?.p99Ms ?? null));
  enableForms(live.phase.kind);
  showActors(live);
  showLog(events, liveLimits.eventsKept);
  showMessages(chart, live.leader);
  charts.show(samples, events);
}

function phaseText(phase: LiveState["phase"]): string {
  switch (phase.kind) {
    case "starting":
      return phase.why;
    case "running":
      return "running";
    case "failed":
      return `did not start: ${phase.reason}`;
  }
}

function showPhase(kind: string, text: string): void {
  const shown = byId("phase");
  shown.dataset.kind = kind;
  setText(shown, text);
}
