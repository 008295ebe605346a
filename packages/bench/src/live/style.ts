/** The page's style sheet. The colours of series and marks can be told apart by whoever sees few of them. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --panel: #ffffff; --text: #1b1f27; --quiet: #5a6372; --line: #d9dde3;
  --accent: #0060a8; --on-accent: #ffffff; --danger: #b03a06;
  --p50: #0072b2; --p99: #c2500a; --commits: #00805d;
  --you: #7a3e9d; --leader: #0072b2; --down: #c2410c; --silent: #8a6100; --up: #00805d; --restart: #5a6372;
  --failed: #b00020;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101319; --panel: #191d25; --text: #e6e9ee; --quiet: #9aa4b3; --line: #2d333f;
    --accent: #6cb8f0; --on-accent: #0b1017; --danger: #ff9b6b;
    --p50: #56b4e9; --p99: #ff9f5a; --commits: #3fd0a4;
    --you: #cf9bec; --leader: #56b4e9; --down: #ff8c5a; --silent: #e6b84a; --up: #3fd0a4; --restart: #9aa4b3;
    --failed: #ff7d8a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 16px 20px 24px; background: var(--ground); color: var(--text);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  display: grid; gap: 14px; grid-template: "head head" auto "main side" 1fr / minmax(0, 1fr) 320px;
  max-width: 1680px; margin-inline: auto;
}
header { grid-area: head; display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
main { grid-area: main; }
aside { grid-area: side; }
main, aside { display: grid; gap: 14px; align-content: start; min-width: 0; grid-template-columns: minmax(0, 1fr); }
h1 { font-size: 20px; margin: 0; }
h2 { font-size: 14px; margin: 0 0 8px; }
main > section, aside > form, #log-section {
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px;
}
#phase { margin: 0; padding: 2px 10px; border-radius: 99px; border: 1px solid var(--line); color: var(--quiet); }
#phase[data-kind="running"] { color: var(--up); border-color: currentColor; }
#phase[data-kind="starting"] { color: var(--silent); border-color: currentColor; }
#phase[data-kind="failed"], #phase[data-kind="gone"] { color: var(--failed); border-color: currentColor; }
#figures { display: flex; flex-wrap: wrap; gap: 4px 26px; margin: 0 0 0 auto; }
#figures div { text-align: right; }
dt { color: var(--quiet); font-size: 12px; }
dd { margin: 0; font-size: 18px; font-weight: 600; font-variant-numeric: tabular-nums; min-width: 3.5em; }
#charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 4px 18px; }
figure { margin: 0; min-width: 0; overflow: hidden; }
figcaption { font-weight: 600; margin-bottom: 4px; }
.p50 { color: var(--p50); } .p99 { color: var(--p99); }
.u-legend { font-size: 12px; text-align: left; color: var(--quiet); }
.u-legend th { color: inherit; font-weight: 500; font-size: 12px; }
.u-legend td { min-width: 44px; text-align: left; color: var(--text); font-variant-numeric: tabular-nums; }
.marks { grid-column: 1 / -1; margin: 0; color: var(--quiet); font-size: 12px; }
.marks span { margin-inline: 6px; white-space: nowrap; color: var(--text); }
.marks span::before { content: ""; display: inline-block; width: 0; height: 11px; margin-right: 5px;
  border-left: 2px solid var(--mark); vertical-align: -1px; }
[data-kind="you"] { --mark: var(--you); } [data-kind="leader"] { --mark: var(--leader); }
[data-kind="down"] { --mark: var(--down); } [data-kind="silent"] { --mark: var(--silent); }
[data-kind="up"] { --mark: var(--up); } [data-kind="restart"] { --mark: var(--restart); }
[data-kind="failed"] { --mark: var(--failed); }
.scrolls { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; }
th { font-size: 12px; font-weight: 500; color: var(--quiet); text-align: left; white-space: nowrap; }
#actors th, #actors td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); }
#actors tbody tr:last-child > * { border-bottom: 0; }
#actors tbody.stale { opacity: 0.45; }
#actors tbody th { color: var(--text); font-size: 14px; }
#actors tr.leads th { font-weight: 700; }
#actors tr.leads th::after { content: "leads"; margin-left: 8px; padding: 0 7px; border-radius: 99px; font-size: 11px;
  font-weight: 600; background: var(--accent); color: var(--on-accent); }
#actors tbody tr.first-of-role:not(:first-child) > * { border-top: 2px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td { white-space: nowrap; }
td.chosen, td.applied { min-width: 104px; } td.mailbox { min-width: 84px; } td.state { min-width: 118px; }
#actors td.actions { text-align: right; padding-right: 0; }
tr[data-state="unresponsive"] .state { color: var(--silent); font-weight: 600; }
tr[data-state="restarting"] .state, tr[data-state="starting"] .state, tr[data-state="failed"] .state {
  color: var(--down); font-weight: 600; }
button, input, select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: 4px 10px; }
button { cursor: pointer; border-color: var(--quiet); }
button:hover:not(:disabled) { border-color: var(--accent); color: var(--accent); }
button.kill { color: var(--danger); }
button.kill:hover:not(:disabled) { border-color: var(--danger); color: var(--danger); }
form button { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; width: 100%; }
form button:hover:not(:disabled) { color: var(--on-accent); filter: brightness(1.1); }
button:disabled { opacity: 0.5; cursor: default; }
td button { padding: 1px 9px; margin-left: 6px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
form { display: grid; gap: 8px; }
form h2 { margin: 0; }
form p { margin: 0; color: var(--quiet); font-size: 12px; }
label { display: flex; justify-content: space-between; align-items: center; gap: 10px; }
label input[type="number"], label select { width: 108px; }
label.check { justify-content: flex-start; }
#problem { margin: 0; color: var(--failed); font-weight: 600; }
#problem:empty { display: none; }
#log { list-style: none; margin: 0; padding: 0; max-height: 420px; overflow-y: auto; font-size: 13px; }
#log li { display: grid; grid-template-columns: 66px 1fr; gap: 8px; padding: 3px 0 3px 8px; border-left: 3px solid var(--mark);
  margin-bottom: 3px; overflow-wrap: anywhere; }
#log time { color: var(--quiet); font-variant-numeric: tabular-nums; }
#messages-note { margin: 0 0 6px; color: var(--quiet); font-size: 12px; }
#messages svg { display: block; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
#messages .title { fill: var(--text); font-weight: 600; text-anchor: middle; }
#messages .name { fill: var(--quiet); text-anchor: middle; font-size: 11px; }
#messages .name.leads { fill: var(--accent); font-weight: 700; }
#messages .lifeline { stroke: var(--line); stroke-width: 2; }
#messages .figure { fill: var(--quiet); text-anchor: end; font-variant-numeric: tabular-nums; }
#messages .label { fill: var(--text); }
#messages .arrow { fill: none; stroke-width: 1.5; stroke: var(--tone); }
#messages .head { fill: var(--tone); }
#messages .sender { fill: var(--tone); }
#messages [data-tone="client"] { --tone: var(--up); } #messages [data-tone="election"] { --tone: var(--you); }
#messages [data-tone="consensus"] { --tone: var(--leader); } #messages [data-tone="lease"] { --tone: var(--restart); }
#messages [data-tone="trouble"] { --tone: var(--down); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) {
  #messages .flows .arrow { stroke-dasharray: 7 4; animation: flow 0.9s linear infinite; }
  @keyframes flow { to { stroke-dashoffset: -11; } }
}
@media (max-width: 900px) {
  body { grid-template: "head" auto "main" auto "side" auto / minmax(0, 1fr); padding: 12px; }
  #figures { margin-left: 0; }
}
@media (max-width: 640px) {
  #charts { grid-template-columns: minmax(0, 1fr); }
  #figures div { text-align: left; }
}
`;
