import type { Latencies } from "../load.js";
import type { ThreadsMode } from "../options.js";

/** What opens a subject. */
export type Family = "synod" | "broadcast-channel" | "server" | "raft-npm" | "raft-go";

/** What a subject is opened with, in a process of its own. */
export interface RivalSpec {
  readonly id: string;
  readonly family: Family;
  /** An empty folder of its own, which is removed afterwards. */
  readonly folder: string;
  /** Bytes that each command carries besides. */
  readonly payload: number;
  /** Of Synod. */
  readonly threads: ThreadsMode;
}

/** What was committed by closed-loop clients in their steady state. */
export interface RivalSlice {
  readonly commits: number;
  readonly durationMs: number;
  readonly latencyMs: Latencies;
}

/** Something that runs, and that commands can be committed with. */
export interface Rival {
  /** What runs, with versions, as far as it says so itself. */
  readonly details: string;
  /** Processes of its own, without the one that this object lives in. */
  readonly pids: readonly number[];
  slice(clients: number, durationMs: number): Promise<RivalSlice>;
  /** Proves that each acknowledged command was applied once, by every copy. Call when idle, at the end. @throws VerificationError */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/** What the parent asks of the process. */
export type RivalTask =
  | { readonly ask: "slice"; readonly clients: number; readonly durationMs: number }
  | { readonly ask: "verify" }
  | { readonly ask: "close" };

/** What it answers; one answer per task, after `ready`. */
export type RivalAnswer =
  | { readonly type: "ready"; readonly details: string; readonly pids: readonly number[] }
  | ({ readonly type: "slice" } & MeasuredSlice)
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

/** A slice with what it took. */
export interface MeasuredSlice extends RivalSlice {
  /** CPU time of all processes of the subject, starting and ending included; null where the system does not say. */
  readonly cpuMs: number | null;
  /** The time that `cpuMs` is to be seen against. */
  readonly wallMs: number;
}
