import type { Address } from "@synod/core";
import type { ConnectionEnds } from "./actor.js";
import type { Attachment } from "./client.js";
import type { ClientLanes } from "./connect.js";
import { ClusterWords } from "./handle.js";
import type { Supervisor } from "./supervisor.js";

export interface PortAttachmentOptions extends ClientLanes {
  /** Gives the client its ends of new ports to an actor: those of the former ones died with a thread. */
  readonly replaceEnds: (ends: Required<ConnectionEnds>) => void;
  readonly onLeave: (name: Address) => void;
}

/** Lanes that are ports, which only the control plane can hand over. Such a client lives on the supervisor's thread. */
export class PortAttachment implements Attachment {
  readonly #words: ClusterWords;
  readonly #supervisor: Supervisor;
  readonly #options: PortAttachmentOptions;

  /** What is sent meanwhile waits in the ports. */
  constructor(supervisor: Supervisor, options: PortAttachmentOptions) {
    this.#supervisor = supervisor;
    this.#words = new ClusterWords(supervisor.handle.memory);
    this.#options = options;
    for (const { atActor, atClient } of options.connections) {
      void supervisor.attach(atClient.peer, atActor, () => this.#renew(atClient.peer));
    }
  }

  get isClusterClosed(): boolean {
    return this.#words.isClosed;
  }

  announce(): void {
    // A port is handed over once, for each life of an actor.
  }

  async detach(): Promise<void> {
    const { name, connections, onLeave } = this.#options;
    onLeave(name);
    if (this.isClusterClosed) return;
    await Promise.all(connections.map(({ atClient }) => this.#supervisor.detach(atClient.peer, name)));
  }

  #renew(actor: Address): ConnectionEnds {
    const { atActor, atClient } = this.#options.rewire(actor);
    this.#options.replaceEnds(atClient);
    return atActor;
  }
}
