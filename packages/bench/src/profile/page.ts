import { arch, cpus, loadavg, platform } from "node:os";
import type { ProfileReport, ThreadReport } from "./analyse.js";
import { profileLimits } from "./limits.js";
import { flameGraphScripts, pageScript } from "./page-scripts.js";
import { pageStyle } from "./page-style.js";
import type { StageCost } from "./stage-cost.js";
import { called, costLine, loadLine, milliseconds, percent, whole } from "./text.js";

/** The page of a run: one file that loads nothing. `profiles` has the names of each thread's files. */
export function renderPage(
  report: ProfileReport,
  cost: StageCost | undefined,
  { title, profiles }: { readonly title: string; readonly profiles: ReadonlyMap<string, readonly string[]> },
): string {
  const flames = report.threads.map(({ flame }) => flame);
  const cards = report.threads.map((thread, index) => card(thread, index, profiles.get(thread.thread) ?? []));
  const cpu = cpus()[0]?.model ?? "unknown processor";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${pageStyle}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="dim">${escaped(`${cpu}, ${report.cores} cores, ${platform()} ${arch()}, Node ${process.versions.node}, load average ${(loadavg()[0] ?? 0).toFixed(1)}; a look at each stack every ${profileLimits.cpuIntervalUs} us`)}</p>
<p class="verdict">${escaped(report.verdict.text)}</p>
<p>${escaped(loadLine(report))}.</p>
<h2>Threads</h2>${threadTable(report.threads)}
<h2>Where a command's time goes</h2>${stageTable(report)}<p class="dim">${escaped(costLine(cost))}</p>
<h2>What each thread does while it is busy</h2>
<p class="dim key">Click a frame to enlarge it.${key("Synod", "#7fb2e5")}${key("your program", "#f5a65b")}${key("other packages", "#8fcf9a")}${key("Node.js and the engine", "#c3c7cf")}${key("garbage collection", "#ea7f7f")}</p>
<div class="grid">${cards.join("\n")}</div>
<script type="application/json" id="flames">${inScript(JSON.stringify(flames))}</script>
${flameGraphScripts()
  .map(script => `<script>${inScript(script)}</script>`)
  .join("\n")}
<script>${inScript(pageScript)}</script>
</body></html>
`;
}

function threadTable(threads: readonly ThreadReport[]): string {
  const rows = threads.map(thread => [
    escaped(thread.thread),
    bar(thread.busyShare, 0, 1),
    percent(thread.busyShare),
    percent(thread.parkedShare),
    percent(thread.garbageShare),
    thread.onCoreShare === null ? "" : percent(thread.onCoreShare),
    thread.withoutCoreShare === null ? "" : percent(thread.withoutCoreShare),
    whole(thread.wakeUpsPerSecond),
    thread.framesPerWakeUp === null ? "" : thread.framesPerWakeUp.toFixed(1),
  ]);
  const head = [
    "thread",
    "",
    "busy",
    "parked",
    "garbage collection",
    "on a core",
    "ready, without a core",
    "wake-ups/s",
    "frames per wake-up",
  ];
  return table(head, rows);
}

function stageTable({ stages, load }: ProfileReport): string {
  const most = Math.max(...stages.parts.map(({ meanMs }) => meanMs));
  const rows = stages.parts.map(part => [
    part.part,
    bar(part.workMeanMs, part.hopMeanMs, most),
    ...[part.meanMs, part.p50Ms, part.p99Ms, part.hopMeanMs, part.workMeanMs].map(milliseconds),
  ]);
  const all = stages.whole;
  rows.push(["all", "", ...[all.meanMs, all.p50Ms, all.p99Ms].map(milliseconds), "", ""]);
  const note = `${whole(stages.samples)} commands, one of every eleventh batch, from the call until its promise is settled. The callers saw a mean of ${milliseconds(load.meanLatencyMs)} ms for a call.`;
  return `${table(["stage, ms", "", "mean", "p50", "p99", "in mailboxes", "at work"], rows)}<p class="dim">${escaped(note)}</p>`;
}

function card(thread: ThreadReport, index: number, files: readonly string[]): string {
  const links = files.map(file => `<a href="${escaped(file)}">${escaped(file)}</a>`).join(" ");
  const lines = thread.lines.map(({ share, functionName, place }) => [
    percent(share),
    `${called(functionName)} ${place}`,
  ]);
  const bytes = thread.allocations?.map(({ share, functionName, place }) => [
    percent(share),
    `${called(functionName)} ${place}`,
  ]);
  return `<section class="card"><h3>${escaped(thread.thread)}</h3>
<p class="dim">${escaped(thread.actors.join(", "))}: busy ${percent(thread.busyShare)}. ${links}</p>
<div class="flame" id="flame-${index}"></div>
${details("Own time by source line", lines)}${bytes === undefined ? "" : details("What it allocates, by function", bytes)}</section>`;
}

function details(summary: string, rows: readonly (readonly string[])[]): string {
  const cells = rows.map(
    ([share = "", place = ""]) => `<tr><td>${share}</td><td class="place">${escaped(place)}</td></tr>`,
  );
  return `<details open><summary>${summary}</summary><div class="scroll"><table>${cells.join("")}</table></div></details>`;
}

/** Cells are HTML. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: "td" | "th") =>
    `<tr>${cells.map(cell => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table>${line(head, "th")}${rows.map(row => line(row, "td")).join("")}</table></div>`;
}

function bar(work: number, wait: number, most: number): string {
  const width = (value: number) => (most === 0 ? 0 : Math.min(100, (100 * value) / most)).toFixed(1);
  return `<div class="bar"><i class="work" style="width:${width(work)}%"></i><i class="wait" style="width:${width(wait)}%"></i></div>`;
}

const key = (what: string, colour: string): string => `<span style="background:${colour}"></span>${what}`;

const escaped = (text: string): string => text.replace(/[&<>"]/g, found => `&#${found.charCodeAt(0)};`);

/** Nothing in a script may look like its end. */
const inScript = (text: string): string => text.replace(/<(?=\/script|!--)/gi, "\\u003c");
