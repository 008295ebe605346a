import type { ActorView, LiveState } from "../messages.js";
import { act } from "./controls.js";
import { byId, element, setText } from "./dom.js";
import { bytesText, wholeText } from "./reduce.js";

const cells = ["state", "ballot", "chosen", "applied", "mailbox", "restarts"] as const;
type Cell = (typeof cells)[number];
const isNumber = new Set<Cell>(["chosen", "applied", "mailbox", "restarts"]);

interface Row {
  readonly row: HTMLTableRowElement;
  readonly cells: Readonly<Record<Cell, HTMLTableCellElement>>;
  readonly buttons: readonly HTMLButtonElement[];
}

const rows = new Map<string, Row>();

/** Rows stay as long as the actors do, so that a button keeps the focus while figures change. */
export function showActors({ actors, phase }: LiveState): void {
  const body = byId<HTMLTableElement>("actors").tBodies[0] as HTMLTableSectionElement;
  if (actors.length > 0 && actors.some(({ name }) => !rows.has(name))) {
    rows.clear();
    body.replaceChildren(...actors.map((actor, at) => makeRow(actor, actors[at - 1]?.role !== actor.role)));
  }
  body.classList.toggle("stale", actors.length === 0);
  for (const actor of actors) showActor(actor, phase.kind === "running");
  if (actors.length === 0) for (const { buttons } of rows.values()) enable(buttons, false);
}

function makeRow({ name, role, thread }: ActorView, isFirst: boolean): HTMLTableRowElement {
  const row = element("tr", {
    "data-actor": name,
    "data-role": role,
    ...(isFirst ? { class: "first-of-role" } : {}),
  });
  const head = element("th", { scope: "row" }, name);
  if (thread !== name) head.title = `on ${thread}`;
  const made = Object.fromEntries(
    cells.map(cell => [cell, element("td", { class: isNumber.has(cell) ? `${cell} number` : cell })]),
  ) as Row["cells"];
  const pauseMs = Number(document.body.dataset.pauseMs);
  const pause = element(
    "button",
    { type: "button", class: "pause", "aria-label": `Pause ${name}` },
    `Pause ${pauseMs / 1000} s`,
  );
  pause.addEventListener("click", () => void act("pause", { actor: name, ms: pauseMs }));
  const kill = element("button", { type: "button", class: "kill", "aria-label": `Kill ${name}` }, "Kill");
  kill.addEventListener("click", () => void act("kill", { actor: name }));
  const actions = element("td", { class: "actions" });
  actions.append(pause, kill);
  row.append(head, ...cells.map(cell => made[cell]), actions);
  rows.set(name, { row, cells: made, buttons: [pause, kill] });
  return row;
}

function showActor(actor: ActorView, isRunning: boolean): void {
  const { row, cells: own, buttons } = rows.get(actor.name) as Row;
  row.dataset.state = actor.state;
  row.classList.toggle("leads", actor.leads);
  setText(own.state, actor.state);
  setText(own.ballot, actor.ballot ?? "–");
  setText(own.chosen, wholeText(actor.chosenBelow));
  setText(own.applied, wholeText(actor.appliedBelow));
  setText(own.mailbox, bytesText(actor.mailboxBytes));
  setText(own.restarts, String(actor.restarts));
  own.restarts.title = actor.lastEnd === null ? "" : `last end: ${actor.lastEnd}`;
  enable(buttons, isRunning);
}

function enable(buttons: readonly HTMLButtonElement[], isEnabled: boolean): void {
  for (const button of buttons) button.disabled = !isEnabled;
}
