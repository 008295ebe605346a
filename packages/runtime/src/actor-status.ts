import { type Address, actorAddress } from "@synod/core";
import type { ActorSpec, MailboxStatus } from "./actor.js";
import type { RoleStatus } from "./role-host.js";

/** The name of a proposer; null for a negative index, which stands for nobody. */
export function proposerName(index: number): Address | null {
  return index < 0 ? null : actorAddress("proposer", index);
}

/** What an actor is doing, and what became of its threads. */
export interface ActorStatus extends Partial<RoleStatus> {
  readonly name: Address;
  readonly role: ActorSpec["role"];
  /** The thread that hosts it: by its own name where it has it for itself, otherwise `thread-0` and so on. */
  readonly thread: string;
  /**
   * What its role says; or `starting`, `unresponsive` (its thread lives and does not answer), `restarting` (it is
   * down and will come back), `failed` (it will not).
   */
  readonly state: string;
  /** Which life it is: the numbers grow and are never used twice in a process. */
  readonly incarnation: number;
  /** How often its thread was replaced. */
  readonly restarts: number;
  /** Why its last thread ended; null during the first life. */
  readonly lastEnd: string | null;
  /** Wake-ups that its thread's doorbell lost, over all lives. 0, or a bug. */
  readonly lostWakeUps: number;
  /** Why it is down. */
  readonly error?: string;
  readonly mailbox?: MailboxStatus;
}
