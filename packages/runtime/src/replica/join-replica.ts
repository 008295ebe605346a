import { observerAddress } from "@synod/core";
import { entrancesOf } from "../announcements.js";
import { RingAttachment } from "../connect.js";
import { checkEnvironment } from "../environment.js";
import { SynodError } from "../errors.js";
import { type ClusterHandle, ClusterWords, checkHandle } from "../handle.js";
import { createDoorbell, openInbox, openOutbox } from "../mailbox/index.js";
import { checkJoinOptions, entriesDefault, type JoinOptions } from "../options.js";
import { createPresence } from "../presence.js";
import type { AnyStateMachine } from "../state-machine.js";
import { wireReplica } from "../wiring.js";
import { EntryTail } from "./entry-tail.js";
import { Replica } from "./replica.js";

const timeoutMsDefault = 30_000;

/**
 * A copy of the state in this thread, whichever of the process it is: it follows the log, and is read without waiting.
 * Resolves once it has applied what a learner knew when it joined. It counts in no quorum and holds nobody back.
 *
 * `machine` is an instance of the cluster's state machine that nothing was applied to, or a function that makes one.
 * With a function, a replica that has fallen far behind restores a snapshot into a new instance while the old one is
 * read; with an instance it cannot be read meanwhile. Wait for what it is to show by `sync()` or `reached()`.
 *
 * @throws SynodError `INVALID_OPTIONS`, `UNSUPPORTED_ENVIRONMENT`, `CLUSTER_CLOSED`, `ABORTED`, `TIMEOUT`
 */
export async function joinReplica<M extends AnyStateMachine>(
  handle: ClusterHandle<M>,
  machine: NoInfer<M> | (() => NoInfer<M>),
  options: JoinOptions = {},
): Promise<Replica<M>> {
  checkEnvironment();
  checkHandle(handle);
  checkJoinOptions(options);
  const makeMachine = typeof machine === "function" ? () => made(machine) : undefined;
  const replica = openReplica<M>(handle, makeMachine?.() ?? checked(machine), makeMachine, options);
  try {
    await replica.join(options.timeoutMs ?? timeoutMsDefault, options.signal);
  } catch (error) {
    await replica.close();
    throw error;
  }
  return replica;
}

function openReplica<M extends AnyStateMachine>(
  handle: ClusterHandle,
  machine: AnyStateMachine,
  makeMachine: (() => AnyStateMachine) | undefined,
  { entries }: JoinOptions,
): Replica<M> {
  const number = new ClusterWords(handle.memory).takeClientNumber();
  const name = observerAddress(number);
  const doorbell = createDoorbell();
  const connections = entrancesOf(handle, name).map(entrance => wireReplica(name, doorbell, entrance));
  const lanes = connections.map(({ atClient }) => [atClient.peer, atClient.receiving] as const);
  const ends = Object.fromEntries(connections.map(({ atActor, atClient }) => [atClient.peer, atActor]));
  return new Replica<M>({
    number,
    topology: handle.topology,
    options: handle.options,
    inbox: openInbox({ kind: "ring", doorbell, waiting: "event-loop", lanes }),
    outboxes: new Map(
      connections.map(({ atClient: { peer, sending } }) => [peer, openOutbox(sending, peer)]),
    ),
    attachment: new RingAttachment(handle, { client: name, presence: createPresence(), ends }),
    snapshotRegions: handle.forReplicas.snapshotRegions,
    machine,
    makeMachine,
    tail: new EntryTail({ ...entriesDefault, ...entries }),
  });
}

function made(make: () => AnyStateMachine): AnyStateMachine {
  let machine: unknown;
  try {
    machine = make();
  } catch (cause) {
    const message =
      "the function that is to make a state machine threw: give joinReplica() an instance, or a function like () => new Counter()";
    throw new SynodError("INVALID_OPTIONS", message, { path: "machine", cause });
  }
  return checked(machine);
}

function checked(machine: unknown): AnyStateMachine {
  const has = (method: string) =>
    typeof (machine as Record<string, unknown> | null | undefined)?.[method] === "function";
  const missing = ["snapshot", "restore"].find(method => !has(method));
  const method = missing ?? (has("apply") || has("applyBatch") ? undefined : "apply");
  if (method !== undefined) {
    const message = `the state machine of the replica has no method ${method}(): give joinReplica() an instance, or a function that makes one`;
    throw new SynodError("INVALID_OPTIONS", message, { path: "machine" });
  }
  return machine as AnyStateMachine;
}
