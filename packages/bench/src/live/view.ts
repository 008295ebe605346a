import { formatBallot } from "@synod/core";
import type { ClusterStatus } from "@synod/runtime";
import type { ActorView, LiveEvent } from "./messages.js";

type Actor = ClusterStatus["actors"][number];

/** A line of the log that is not yet numbered. */
export type Happening = Pick<LiveEvent, "kind" | "text">;

/** The actors as the page shows them. */
export function actorsOf({ actors, leader }: Pick<ClusterStatus, "actors" | "leader">): ActorView[] {
  return actors.map(actor => ({
    name: actor.name,
    role: actor.role,
    thread: actor.thread,
    state: actor.state,
    leads: actor.name === leader,
    ballot: ballotOf(actor),
    chosenBelow: actor.chosenBelow ?? null,
    appliedBelow: actor.appliedBelow ?? null,
    mailboxBytes: actor.mailbox?.depthBytes ?? null,
    restarts: actor.restarts,
    lastEnd: actor.lastEnd,
  }));
}

function ballotOf({ ballot }: Actor): string | null {
  // A ballot of round 0 is nobody's: nothing was promised, or heard of, yet.
  return ballot === undefined || ballot === null || ballot.round === 0 ? null : formatBallot(ballot);
}

/** What two looks at the actors show that no event tells: who has stopped answering, and who answers again. */
export function happeningsBetween(before: readonly ActorView[], after: readonly ActorView[]): Happening[] {
  const stateBefore = new Map(before.map(({ name, state }) => [name, state]));
  const happenings: Happening[] = [];
  for (const { name, state } of after) {
    const earlier = stateBefore.get(name);
    if (earlier === undefined || earlier === state) continue;
    if (state === "unresponsive") {
      happenings.push({ kind: "silent", text: `${name} does not answer: its thread stands still` });
    } else if (earlier === "unresponsive" && state !== "restarting" && state !== "failed") {
      happenings.push({ kind: "up", text: `${name} answers again` });
    }
  }
  return happenings;
}
