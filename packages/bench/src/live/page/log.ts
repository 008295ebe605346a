import type { LiveEvent } from "../messages.js";
import { byId, clock, element } from "./dom.js";

let shownUpTo = 0;

/** The latest line first. Lines that are shown stay, so that a screen reader reads only the new ones. */
export function showLog(events: readonly LiveEvent[], keep: number): void {
  const log = byId("log");
  const newest = events.at(-1)?.id ?? 0;
  if (newest < shownUpTo) log.replaceChildren();
  const from = newest < shownUpTo ? 0 : shownUpTo;
  for (const event of events) if (event.id > from) log.prepend(lineOf(event));
  while (log.childElementCount > keep) log.lastElementChild?.remove();
  shownUpTo = newest;
}

function lineOf({ atMs, kind, text }: LiveEvent): HTMLLIElement {
  const line = element("li", { "data-kind": kind });
  const at = new Date(atMs);
  line.append(element("time", { datetime: at.toISOString() }, clock.format(at)), element("span", {}, text));
  return line;
}
