import { EventEmitter } from "node:events";

/** What a replica emits, by the name of the event. There is no `error` among them. */
export interface ReplicaEvents {
  /** More was applied: at most once in a turn of the event loop. */
  change: [{ readonly appliedInstance: number }];
  /** It had fallen behind what the log still holds, and goes on from a snapshot. The first one is told too. */
  restored: [{ readonly appliedInstance: number }];
  /** The state machine's `restore()` failed, or the snapshot was overwritten while it was read. It is tried again. */
  restoreFailed: [{ readonly reason: string }];
  /** It is closed, by its owner or with its cluster. */
  close: [];
}

type Listener<Name extends keyof ReplicaEvents> = (...event: ReplicaEvents[Name]) => void;
type AnyListener = (...event: unknown[]) => void;

/** Node's EventEmitter with the names and types of these events. */
export class ReplicaEmitter extends EventEmitter {
  override on<Name extends keyof ReplicaEvents>(name: Name, listener: Listener<Name>): this {
    return super.on(name, listener as AnyListener);
  }

  override once<Name extends keyof ReplicaEvents>(name: Name, listener: Listener<Name>): this {
    return super.once(name, listener as AnyListener);
  }

  override off<Name extends keyof ReplicaEvents>(name: Name, listener: Listener<Name>): this {
    return super.off(name, listener as AnyListener);
  }
}
