/** What the server tells the page, and the page the server: plain data. */

/** What of the cluster can be changed only by starting it anew. */
export interface LiveSettings {
  /** Commands per Accept; null when the size follows the load. */
  readonly batch: number | null;
  /** Accepts under way at once. */
  readonly pipeline: number;
  /** Whether every frame is remembered by its sender, which slows the cluster. */
  readonly trace: boolean;
}

/** An actor as the page shows it. What is not known at present is null. */
export interface ActorView {
  readonly name: string;
  readonly role: "proposer" | "acceptor" | "learner";
  readonly thread: string;
  /** As `status()` has it: what its role says, or `starting`, `unresponsive`, `restarting`, `failed`. */
  readonly state: string;
  readonly leads: boolean;
  /** `round.incarnation.proposer`. */
  readonly ballot: string | null;
  readonly chosenBelow: number | null;
  readonly appliedBelow: number | null;
  /** Bytes that wait in its mailbox. */
  readonly mailboxBytes: number | null;
  readonly restarts: number;
  /** Why its last thread ended. */
  readonly lastEnd: string | null;
}

type LivePhase =
  | { readonly kind: "starting"; readonly why: string }
  | { readonly kind: "running" }
  | { readonly kind: "failed"; readonly reason: string };

export interface LiveState {
  readonly phase: LivePhase;
  readonly settings: LiveSettings;
  /** Closed-loop clients that are wanted. */
  readonly clients: number;
  readonly leader: string | null;
  readonly actors: readonly ActorView[];
}

/** What was committed between two moments. */
export interface LiveSample {
  /** The later one, in milliseconds since 1970. */
  readonly atMs: number;
  readonly commitsPerSecond: number;
  /** Null when nothing was timed. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export type LiveEventKind = "you" | "leader" | "down" | "up" | "silent" | "restart" | "failed";

/** A line of the log, and a mark in the charts. */
export interface LiveEvent {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly kind: LiveEventKind;
  readonly text: string;
}

export type MessageTone = "client" | "election" | "consensus" | "lease" | "trouble";

/** A line of the message chart: who sent it to whom. */
export interface MessageRow {
  readonly label: string;
  readonly tone: MessageTone;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** How many a second, or when; as text. */
  readonly figure: string;
}

export interface MessageChart {
  readonly columns: readonly { readonly title: string; readonly actors: readonly string[] }[];
  readonly rows: readonly MessageRow[];
  /** What is drawn. */
  readonly note: string;
}

export type LiveUpdate =
  | {
      readonly type: "welcome";
      readonly state: LiveState;
      readonly samples: readonly LiveSample[];
      readonly events: readonly LiveEvent[];
      readonly chart: MessageChart | null;
    }
  | { readonly type: "state"; readonly state: LiveState }
  | { readonly type: "sample"; readonly sample: LiveSample }
  | { readonly type: "event"; readonly event: LiveEvent }
  | { readonly type: "chart"; readonly chart: MessageChart };
