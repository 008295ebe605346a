import type { Inspection } from "@synod/runtime";
import { type Cast, messageKinds } from "./message-kinds.js";
import type { MessageChart, MessageRow } from "./messages.js";

/** What everybody had sent at a moment, by the actors' own counters. */
export interface SentSoFar {
  readonly atMs: number;
  readonly inspections: readonly Pick<Inspection, "name" | "role" | "sent">[];
}

/** Who there is among those that were looked at. */
export function castOf(inspections: SentSoFar["inspections"], leader: string | null): Cast {
  const named = (role: Inspection["role"]) =>
    inspections.filter(inspection => inspection.role === role).map(({ name }) => name);
  return {
    clients: named("client"),
    proposers: named("proposer"),
    acceptors: named("acceptor"),
    learners: named("learner"),
    leader,
  };
}

export function columnsOf(cast: Cast): MessageChart["columns"] {
  return [
    { title: "Client", actors: cast.clients },
    { title: "Proposers", actors: cast.proposers },
    { title: "Acceptors", actors: cast.acceptors },
    { title: "Learners", actors: cast.learners },
  ];
}

/**
 * A line for each kind of message that was sent between two looks: its senders are those whose counters have moved, its
 * receivers those that the protocol sends it to. `cast` has those that are down as well.
 */
export function chartOfRates(before: SentSoFar, after: SentSoFar, cast: Cast): MessageChart {
  const seconds = Math.max(1, after.atMs - before.atMs) / 1000;
  const earlier = new Map(before.inspections.map(({ name, sent }) => [name, sent]));
  const rows: MessageRow[] = [];
  for (const { type, sender, label, tone, receivers } of messageKinds) {
    const from: string[] = [];
    let frames = 0;
    for (const { name, role, sent } of after.inspections) {
      if (role !== sender) continue;
      // A thread that was replaced counts from 0 again.
      const counted = earlier.get(name)?.[type].frames ?? 0;
      const now = sent[type].frames;
      const more = now >= counted ? now - counted : now;
      if (more === 0) continue;
      from.push(name);
      frames += more;
    }
    if (frames === 0) continue;
    const to = receivers(cast).filter(name => from.length > 1 || name !== from[0]);
    rows.push({ label, tone, from, to, figure: `${rateText(frames / seconds)}/s` });
  }
  return {
    columns: columnsOf(cast),
    rows,
    note: "Frames a second, by the counters of their senders. To whom they go follows from the protocol; with tracing on, single messages are drawn as they were sent.",
  };
}

/** Three digits: `4.2`, `42`, `42,000`. */
export function rateText(perSecond: number): string {
  if (perSecond < 10) return perSecond.toFixed(1);
  const digits = Math.max(0, Math.floor(Math.log10(perSecond)) - 2);
  const unit = 10 ** digits;
  return (Math.round(perSecond / unit) * unit).toLocaleString("en-US");
}
