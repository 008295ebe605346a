import type { Message } from "../messages.js";
import type { Counters } from "./world.js";

/** Notes what a message shows to have happened; `isTick` when its sender was told that time has passed. */
export function countMessage(counters: Counters, message: Message, isTick: boolean): void {
  switch (message.type) {
    case "propose":
      if (message.forwarded) counters.forwards += 1;
      return;
    case "follow":
      counters.follows += 1;
      return;
    case "fetch":
      counters.fetches += 1;
      return;
    case "progress":
      if (message.stuck) counters.stuckLearners += 1;
      return;
    case "standIn":
      if (message.on) counters.standIns += 1;
      return;
    case "chosen":
      counters.announcements += 1;
      return;
    case "refuse":
      if (message.leaseUntil > 0) counters.leaseRefusals += 1;
      return;
    case "sequenceGap":
      counters.gaps += 1;
      return;
    case "sessionOpened":
      counters.sessions += 1;
      return;
    case "notLeader":
      counters.redirects += 1;
      return;
    case "promise":
      if (message.continuesAt >= 0) counters.parts += 1;
      return;
    case "prepare":
      if (isTick) counters.retransmissions += 1;
      return;
    case "accept":
      if (isTick) counters.retransmissions += 1;
      for (const segment of message.batch.segments) {
        if (segment.kind === "commands" && segment.skip > 0) counters.slices += 1;
        if (segment.kind === "fill") counters.fills += 1;
        if (segment.kind === "noop") counters.noops += 1;
      }
  }
}
