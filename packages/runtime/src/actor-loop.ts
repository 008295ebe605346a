import type { Actor } from "./actor.js";
import { monotonicMs } from "./clock.js";
import { runtimeLimits } from "./limits.js";
import type { Inbox } from "./mailbox/index.js";

/** What the loop needs of the actors of a thread. */
export type LoopedActor = Pick<
  Actor,
  | "turn"
  | "tick"
  | "deadline"
  | "isBusy"
  | "isFed"
  | "isStopped"
  | "calls"
  | "unhurried"
  | "worked"
  | "lookAtDepth"
  | "publish"
>;

/**
 * Runs the actors of one thread until one of them is stopped. They take turns, of so many frames each; when none has
 * anything to do, the thread parks. What one of them sends to another goes through their lanes like everything else:
 * who is told later in the same round takes it in that round, and before parking all mailboxes are looked at again.
 *
 * @param inbox of one of them: they share a doorbell, so that its `park` waits for all
 */
export async function runActors(actors: readonly LoopedActor[], inbox: Pick<Inbox, "park">): Promise<void> {
  let lastTurnMs = monotonicMs();
  let sinceTurn: SinceTurn = { workedMs: 0, calls: callsOf(actors) };
  while (!actors.some(actor => actor.isStopped)) {
    const roundMs = monotonicMs();
    let sinceMs = roundMs;
    let frames = 0;
    let areEmpty = true;
    for (const actor of actors) {
      const taken = actor.turn();
      frames += taken;
      areEmpty &&= taken < runtimeLimits.framesPerTurn;
      const now = monotonicMs();
      actor.worked(now - sinceMs);
      sinceMs = now;
      if (!isLong(now, roundMs, lastTurnMs)) continue;
      lastTurnMs = await measuredTurn(actors, now);
      sinceMs = lastTurnMs;
    }
    // A thread that wakes up late reads all its mail before any of its actors acts on what it has not heard.
    if (areEmpty) tickEarliest(actors);
    const isRestless = !areEmpty || actors.some(actor => actor.isBusy);
    const now = monotonicMs();
    sinceTurn.workedMs += now - roundMs;
    // What an actor waits for without a frame comes by the event loop.
    const isWaiting = isRestless && frames === 0;
    if (isWaiting || isTurnDue(now - lastTurnMs, sinceTurn, callsOf(actors))) {
      sinceTurn = { workedMs: 0, calls: callsOf(actors) };
      lastTurnMs = await measuredTurn(actors, now);
    } else if (!isRestless) {
      const timeoutMs = parkingMs(actors, now);
      if (timeoutMs <= 0) continue;
      for (const actor of actors) actor.publish();
      await inbox.park(timeoutMs, unhurriedOf(actors));
    }
  }
}

/** What has happened since the event loop last had a turn. */
interface SinceTurn {
  workedMs: number;
  /** As many calls of the control plane had come by then. */
  readonly calls: number;
}

/**
 * The control plane has called, or the thread has been at work for a while, or rested for long. A turn costs as much as
 * a frame: a thread that wakes up for a heartbeat, and sleeps again, does without.
 */
function isTurnDue(sinceMs: number, { workedMs, calls }: SinceTurn, callsNow: number): boolean {
  if (callsNow !== calls || sinceMs >= runtimeLimits.parkMsMax) return true;
  return sinceMs >= runtimeLimits.eventLoopTurnMs && workedMs >= runtimeLimits.workPerTurnMs;
}

function callsOf(actors: readonly LoopedActor[]): number {
  let calls = 0;
  for (const actor of actors) calls += actor.calls;
  return calls;
}

/** Only what none of them is in a hurry for leaves the thread asleep. */
function unhurriedOf(actors: readonly LoopedActor[]): number {
  let kinds = ~0;
  for (const actor of actors) kinds &= actor.unhurried;
  return kinds;
}

/** The event loop's turn is due, and too much is left of this round to wait for its end: a short one is not held up. */
function isLong(now: number, roundMs: number, lastTurnMs: number): boolean {
  return now - roundMs >= runtimeLimits.shortRoundMs && now - lastTurnMs >= runtimeLimits.eventLoopTurnMs;
}

/**
 * One in each round, the earliest: a leader's heartbeat is due before the time-outs of those who wait for it, and they
 * are to read it first.
 */
function tickEarliest(actors: readonly LoopedActor[]): void {
  let earliest: LoopedActor | undefined;
  let deadline = Number.POSITIVE_INFINITY;
  for (const actor of actors) {
    const at = actor.deadline;
    if (at >= deadline) continue;
    deadline = at;
    earliest = actor;
  }
  const now = monotonicMs();
  if (now < deadline || earliest === undefined) return;
  earliest.tick(now);
  earliest.worked(monotonicMs() - now);
}

function parkingMs(actors: readonly LoopedActor[], now: number): number {
  let timeoutMs: number = runtimeLimits.parkMsMax;
  for (const actor of actors) {
    timeoutMs = Math.min(timeoutMs, actor.isFed ? actor.deadline - now : runtimeLimits.feedAgainMs);
  }
  return timeoutMs;
}

/** The event loop's turn keeps all actors of the thread from their mailboxes. Returns when it has ended. */
async function measuredTurn(actors: readonly LoopedActor[], beganMs: number): Promise<number> {
  await eventLoopTurn();
  const endedMs = monotonicMs();
  for (const actor of actors) {
    actor.worked(endedMs - beganMs);
    actor.lookAtDepth();
    actor.publish();
  }
  return endedMs;
}

/** One whole turn: an immediate that is queued in the check phase runs only after the next poll. */
function eventLoopTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)));
}
