import { type Address, clientAddress } from "@synod/core";
import { type Announcement, announce } from "./announcements.js";
import { type Attachment, Client } from "./client.js";
import { checkEnvironment } from "./environment.js";
import { type ClusterHandle, ClusterWords, checkHandle, type Entrance } from "./handle.js";
import { runtimeLimits } from "./limits.js";
import { createDoorbell, type MailboxKind, openInbox, openOutbox } from "./mailbox/index.js";
import { createPresence, Presence } from "./presence.js";
import type { AnyStateMachine } from "./state-machine.js";
import { type ClientConnection, wireClient } from "./wiring.js";

/**
 * A client on this thread, whichever of the process it is, with a session of its own. It works like one of
 * `cluster.connect()`, and neither connecting nor its work needs the thread that started the cluster.
 *
 * @throws SynodError `INVALID_OPTIONS` for anything but a handle of this process, `UNSUPPORTED_ENVIRONMENT`,
 *   `CLUSTER_CLOSED`, `NO_QUORUM`, `TIMEOUT`, `STORAGE_FAILED`
 */
export async function connect<M extends AnyStateMachine>(handle: ClusterHandle<M>): Promise<Client<M>> {
  checkEnvironment();
  checkHandle(handle);
  return openClient(createClient<M>(handle));
}

/** Opens the session of a client, or takes its lanes away again. */
export async function openClient<M extends AnyStateMachine>(client: Client<M>): Promise<Client<M>> {
  try {
    await client.open();
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

/** A client whose lanes the actors have been told of. `onLeave` is called once, when it has closed. */
export function createClient<M extends AnyStateMachine>(
  handle: ClusterHandle,
  onLeave?: (name: Address) => void,
): Client<M> {
  return assembleClient<M>(handle, "ring", ({ name, connections }) => {
    const ends = Object.fromEntries(connections.map(({ atActor, atClient }) => [atClient.peer, atActor]));
    return new RingAttachment(handle, { client: name, presence: createPresence(), ends }, onLeave);
  });
}

/** A client's lanes, as whoever hands them over has to know them. */
export interface ClientLanes {
  readonly name: Address;
  readonly connections: readonly ClientConnection[];
  /** Makes new ones to and from one actor. */
  readonly rewire: (actor: Address) => ClientConnection;
}

/** A client with lanes to and from all entrances; `attach` gives the actors their ends. */
export function assembleClient<M extends AnyStateMachine>(
  handle: ClusterHandle,
  kind: MailboxKind,
  attach: (lanes: ClientLanes) => Attachment,
): Client<M> {
  const { topology, options, entrances, memory } = handle;
  const number = new ClusterWords(memory).takeClientNumber();
  const name = clientAddress(number);
  const doorbell = createDoorbell();
  const wire = (entrance: Entrance) => wireClient(name, doorbell, entrance, kind);
  const connections = entrances.map(wire);
  const rewire = (actor: Address) => wire(entrances.find(entrance => entrance.name === actor) as Entrance);
  const ends = connections.map(({ atClient }) => atClient);
  return new Client<M>({
    client: number,
    topology,
    options,
    inbox: openInbox({
      kind,
      doorbell,
      waiting: "event-loop",
      lanes: ends.map(({ peer, receiving }) => [peer, receiving] as const),
    }),
    outboxes: new Map(ends.map(({ peer, sending }) => [peer, openOutbox(sending, peer)])),
    attachment: attach({ name, connections, rewire }),
  });
}

/** Lanes in shared memory, which any thread can announce. */
export class RingAttachment implements Attachment {
  readonly #handle: ClusterHandle;
  readonly #words: ClusterWords;
  readonly #announcement: Announcement;
  readonly #presence: Presence;
  readonly #timer: NodeJS.Timeout;
  readonly #onLeave: ((name: Address) => void) | undefined;

  constructor(handle: ClusterHandle, announcement: Announcement, onLeave?: (name: Address) => void) {
    this.#handle = handle;
    this.#words = new ClusterWords(handle.memory);
    this.#announcement = announcement;
    this.#presence = new Presence(announcement.presence);
    this.#onLeave = onLeave;
    this.#timer = setInterval(
      () => this.#beat(),
      handle.options.sessionTimeoutMs / runtimeLimits.keepAlivesPerTimeout,
    );
    this.#timer.unref();
    this.announce();
  }

  get isClusterClosed(): boolean {
    return this.#words.isClosed;
  }

  announce(): void {
    announce(this.#handle, this.#announcement);
  }

  async detach(): Promise<void> {
    clearInterval(this.#timer);
    this.#presence.leave();
    if (!this.isClusterClosed) announce(this.#handle, { ...this.#announcement, ends: {} });
    this.#onLeave?.(this.#announcement.client);
  }

  /** A thread that was blocked for so long that it was taken for dead comes back; its session may be gone. */
  #beat(): void {
    if (this.#presence.beat()) this.announce();
  }
}
