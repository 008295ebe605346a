import * as Comlink from "comlink";
import { Actor, type ActorSpec, type StartFailure } from "./actor.js";
import { runActors } from "./actor-loop.js";
import { comlinkEndpoint } from "./comlink-port.js";
import { markActorThread } from "./environment.js";
import { runtimeLimits } from "./limits.js";
import { type Doorbell, type Inbox, type MailboxKind, openInboxes, ringDoorbell } from "./mailbox/index.js";

/** All that a worker thread is given: the actors that it hosts, at least one, and what they share. */
export interface ThreadSpec {
  readonly mailbox: MailboxKind;
  /** Rings for all of them. */
  readonly doorbell: Doorbell;
  readonly actors: readonly ActorSpec[];
}

/**
 * Piscina's task: makes the actors of a thread and runs them until they are stopped.
 *
 * @returns why one of them could not start, if so
 */
export default async function runThread(spec: ThreadSpec): Promise<StartFailure | undefined> {
  markActorThread();
  const { mailbox, doorbell } = spec;
  const inboxes = openInboxes({ kind: mailbox, doorbell, waiting: "thread" }, spec.actors.length);
  const actors = spec.actors.map((actor, index) => new Actor(actor, inboxes[index] as Inbox));
  for (const [index, { control }] of spec.actors.entries()) {
    Comlink.expose(actors[index], comlinkEndpoint(control));
  }
  try {
    // All of them, before the loop: it blocks the thread, and with it what loads state machines.
    const failures = await Promise.all(actors.map(actor => actor.started()));
    const failure = failures.find(found => found !== undefined);
    if (failure !== undefined) return failure;
    // A ring's park is bounded by itself; a port's waits for events, so a timer brings the roles' deadlines.
    const ticker =
      mailbox === "port" ? setInterval(() => ringDoorbell(doorbell), runtimeLimits.portTickMs) : undefined;
    await runActors(actors, inboxes[0] as Inbox);
    clearInterval(ticker);
    for (const actor of actors) actor.close();
    return undefined;
  } finally {
    // The answer to stop() leaves first.
    setImmediate(() => {
      for (const { control } of spec.actors) control.close();
    });
  }
}
