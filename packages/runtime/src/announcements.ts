import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Address } from "@synod/core";
import type { ConnectionEnds } from "./actor.js";
import { monotonicMs } from "./clock.js";
import type { ClusterHandle, Entrance } from "./handle.js";
import { runtimeLimits } from "./limits.js";
import { ringDoorbell } from "./mailbox/index.js";
import { Presence } from "./presence.js";

/*
 * A client here is whoever comes and goes with lanes of its own: a client, or a replica in a user's thread, which has
 * some to and from the acceptors too.
 */

/**
 * Says that a client's presence has changed, to all actors and to the supervisor. Who hears it looks at the
 * presence: a client that is here is given lanes, another one loses them.
 */
export interface Announcement {
  readonly client: Address;
  readonly presence: SharedArrayBuffer;
  /** Every actor's ends of the connections with the client; none when it goes. */
  readonly ends: Readonly<Record<Address, ConnectionEnds>>;
}

/** What one actor hears: its own ends, since whoever keeps more keeps all lanes in memory. */
interface ActorAnnouncement {
  readonly client: Address;
  readonly presence: SharedArrayBuffer;
  readonly ends: ConnectionEnds | undefined;
}

/** Asks the supervisor to announce everybody that is here once more: this actor has begun to listen. */
interface Question {
  readonly asker: Address;
}

/** Is it a replica in a user's thread? */
export function isReplica(client: Address): boolean {
  return client.startsWith("replica-");
}

const channelOf = (channel: string, actor: Address): string => `${channel} ${actor}`;

/** Posts from any thread, past the supervisor's, and makes parked actors look. */
export function announce(handle: ClusterHandle, announcement: Announcement): void {
  // The supervisor first: an actor that begins to listen too late for this finds it on the supervisor's list.
  post(handle.channel, announcement);
  for (const entrance of entrancesOf(handle, announcement.client)) announceTo(handle, entrance, announcement);
}

/** The actors that it has lanes to and from. */
export function entrancesOf(handle: ClusterHandle, client: Address): readonly Entrance[] {
  return isReplica(client) ? [...handle.entrances, ...handle.forReplicas.acceptors] : handle.entrances;
}

function announceTo({ channel }: ClusterHandle, { name, doorbell }: Entrance, all: Announcement): void {
  const { client, presence, ends } = all;
  const message: ActorAnnouncement = { client, presence, ends: ends[name] };
  post(channelOf(channel, name), message);
  ringDoorbell(doorbell);
}

/** Opens the channel only as long as it takes: one that stays open would collect what others post. */
function post(channel: string, message: Announcement | ActorAnnouncement | Question): void {
  const port = new BroadcastChannel(channel);
  port.postMessage(message);
  port.close();
}

/** Listens without keeping its thread alive. */
class Listener<Message> {
  readonly #port: BroadcastChannel;
  readonly #hear: (message: Message) => void;

  constructor(channel: string, hear: (message: Message) => void) {
    this.#port = new BroadcastChannel(channel);
    this.#hear = hear;
    this.#port.onmessage = event => hear((event as { data: Message }).data);
    this.#port.unref();
  }

  /** Takes what has come but has not been delivered yet. */
  drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port as unknown as MessagePort);
      if (received === undefined) return;
      this.#hear(received.message as Message);
    }
  }

  close(): void {
    this.#port.close();
  }
}

/** The clients of one actor, on its thread, from the first turn of its life on. */
export class ActorClients {
  readonly #attach: (ends: ConnectionEnds) => void;
  readonly #listener: Listener<ActorAnnouncement>;
  readonly #attached = new Map<Address, Presence>();
  /** May have left; their lanes go once the mailbox has been seen empty, so that their last words are read. */
  readonly #leaving = new Set<Address>();

  constructor(channel: string, actor: Address, attach: (ends: ConnectionEnds) => void) {
    this.#attach = attach;
    this.#listener = new Listener(channelOf(channel, actor), message => this.#onAnnouncement(message));
    // In this order: who has posted before this thread listened is on the supervisor's list when it reads this.
    post(channel, { asker: actor });
  }

  /** Clients that have lanes here. */
  get count(): number {
    return this.#attached.size - this.replicas;
  }

  /** Replicas that have. */
  get replicas(): number {
    return [...this.#attached.keys()].filter(isReplica).length;
  }

  /** Hears at once what waits for the event loop's next turn. */
  drain(): void {
    this.#listener.drain();
  }

  /** Hearing the same twice is harmless: the lanes of a client that is known are left as they are. */
  #onAnnouncement({ client, presence, ends }: ActorAnnouncement): void {
    if (this.#attached.has(client)) this.#leaving.add(client);
    else if (ends !== undefined) {
      const present = new Presence(presence);
      if (!present.isHere) return;
      this.#attached.set(client, present);
      this.#attach(ends);
    }
  }

  /** Call when the mailbox is empty. The clients whose lanes are to be taken away. */
  takeDeparted(): readonly Address[] {
    if (this.#leaving.size === 0) return [];
    const departed = [...this.#leaving].filter(client => this.#attached.get(client)?.isHere === false);
    this.#leaving.clear();
    for (const client of departed) this.#attached.delete(client);
    return departed;
  }

  close(): void {
    this.#listener.close();
  }
}

interface KnownClient {
  readonly announcement: Announcement;
  readonly presence: Presence;
  beats: number;
  /** When it last gave a sign of life, as far as this thread could see. */
  beatAtMs: number;
}

/** All clients of a cluster, on whichever threads: the supervisor's list. */
export class ClientRegistry {
  readonly #handle: ClusterHandle;
  readonly #listener: Listener<Announcement | Question>;
  readonly #clients = new Map<Address, KnownClient>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(handle: ClusterHandle) {
    this.#handle = handle;
    this.#listener = new Listener(handle.channel, message => {
      if ("asker" in message) this.#answer(message);
      else this.#onAnnouncement(message);
    });
    const { sessionTimeoutMs } = handle.options;
    const everyMs = sessionTimeoutMs / runtimeLimits.keepAlivesPerTimeout;
    this.#timer = setInterval(() => this.#expel(sessionTimeoutMs), everyMs);
    this.#timer.unref();
  }

  /** The names of those that are here. */
  names(): Address[] {
    this.#listener.drain();
    return [...this.#clients.keys()];
  }

  /** Makes every client look at the word that says that the cluster is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#listener.drain();
    this.#listener.close();
    for (const { announcement } of this.#clients.values()) {
      for (const { sending } of Object.values(announcement.ends)) {
        if (sending?.kind === "ring") ringDoorbell(sending.doorbell);
      }
    }
    this.#clients.clear();
  }

  #answer({ asker }: Question): void {
    const { entrances, forReplicas } = this.#handle;
    const entrance = [...entrances, ...forReplicas.acceptors].find(({ name }) => name === asker);
    if (entrance === undefined) return;
    for (const { announcement } of this.#clients.values()) {
      if (asker in announcement.ends) announceTo(this.#handle, entrance, announcement);
    }
  }

  #onAnnouncement(announcement: Announcement): void {
    const { client } = announcement;
    const presence = new Presence(announcement.presence);
    if (!presence.isHere) this.#clients.delete(client);
    else if (!this.#clients.has(client) && Object.keys(announcement.ends).length > 0) {
      const { beats } = presence;
      this.#clients.set(client, { announcement, presence, beats, beatAtMs: monotonicMs() });
    }
  }

  /** Takes away the lanes of threads that ended without a word: nobody else can tell. */
  #expel(silentMsMax: number): void {
    this.#listener.drain();
    const now = monotonicMs();
    for (const [client, known] of this.#clients) {
      const { beats } = known.presence;
      if (beats !== known.beats) {
        known.beats = beats;
        known.beatAtMs = now;
      } else if (now - known.beatAtMs > silentMsMax) {
        known.presence.expel();
        this.#clients.delete(client);
        announce(this.#handle, { client, presence: known.announcement.presence, ends: {} });
      }
    }
  }
}
