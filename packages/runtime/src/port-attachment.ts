import type { Address } from "@synod/core";
import type { Attachment } from "./client.js";
import { ClusterWords } from "./handle.js";
import type { Supervisor } from "./supervisor.js";
import type { ClientConnection } from "./wiring.js";

/** Lanes that are ports, which only the control plane can hand over. Such a client lives on the supervisor's thread. */
export class PortAttachment implements Attachment {
  readonly #words: ClusterWords;
  readonly #supervisor: Supervisor;
  readonly #name: Address;
  readonly #onLeave: (name: Address) => void;
  #actors: readonly Address[] = [];

  constructor(supervisor: Supervisor, name: Address, onLeave: (name: Address) => void) {
    this.#supervisor = supervisor;
    this.#words = new ClusterWords(supervisor.handle.memory);
    this.#name = name;
    this.#onLeave = onLeave;
  }

  get isClusterClosed(): boolean {
    return this.#words.isClosed;
  }

  /** @throws SynodError `ACTOR_FAILED`, `CLUSTER_CLOSED` */
  async attach(connections: readonly ClientConnection[]): Promise<void> {
    this.#actors = connections.map(({ atClient }) => atClient.peer);
    await Promise.all(
      connections.map(({ atActor, atClient }) => this.#supervisor.attach(atClient.peer, atActor)),
    );
  }

  announce(): void {
    // A port is handed over once, for good.
  }

  async detach(): Promise<void> {
    this.#onLeave(this.#name);
    if (this.isClusterClosed) return;
    await Promise.allSettled(this.#actors.map(actor => this.#supervisor.detach(actor, this.#name)));
  }
}
