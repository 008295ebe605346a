import { keyOf, type Settings } from "../results/format.js";

/** What is varied: a row is measured of everything combined with everything. */
export interface Grid {
  /** Closed-loop clients; empty when only rates are asked for. */
  readonly clients: readonly number[];
  /** Commands per second of an open loop, besides the closed ones. */
  readonly rate: readonly number[];
  readonly batch: readonly Settings["batch"][];
  readonly pipeline: readonly Settings["pipeline"][];
  readonly payload: readonly number[];
  readonly acceptors: readonly number[];
  readonly learners: readonly number[];
  readonly mailbox: readonly Settings["mailbox"][];
  readonly threads: readonly Settings["threads"][];
  readonly clientThreads: readonly number[];
}

/** What a cluster is started with: cells that share it are measured on the same one. */
export type Shape = Pick<Settings, "batch" | "pipeline" | "acceptors" | "learners" | "mailbox" | "threads">;

export interface Cells {
  readonly cells: readonly Settings[];
  /** Combinations that cannot be, with the reason. */
  readonly leftOut: readonly string[];
}

type Load = Pick<Settings, "clients" | "mode" | "ratePerSecond">;

/** What somebody has who sets neither. */
export const defaultPair: Pick<Settings, "batch" | "pipeline"> = { batch: "adaptive", pipeline: "adaptive" };

/** All combinations, and for each load the default, which everything is compared with. */
export function cellsOf(grid: Grid): Cells {
  const loads: Load[] = [
    ...grid.clients.map(clients => ({ clients, mode: "closed", ratePerSecond: null }) as const),
    ...grid.rate.map(ratePerSecond => ({ clients: 0, mode: "open", ratePerSecond }) as const),
  ];
  const pairs = product<object>({ batch: grid.batch, pipeline: grid.pipeline });
  const all = product<Settings>({
    load: loads,
    pair: [...pairs, defaultPair],
    payloadBytes: grid.payload,
    acceptors: grid.acceptors,
    learners: grid.learners,
    mailbox: grid.mailbox,
    threads: grid.threads,
    clientThreads: grid.clientThreads,
  });
  const reasons = all.map(impossible);
  const leftOut = [...new Set(reasons)].filter(reason => reason !== null);
  const possible = all.filter((_, at) => reasons[at] === null);
  return { cells: [...new Map(possible.map(cell => [keyOf(cell), cell])).values()], leftOut };
}

/** The part of the settings that the cluster has. */
export function shapeOf({ batch, pipeline, acceptors, learners, mailbox, threads }: Settings): Shape {
  return { batch, pipeline, acceptors, learners, mailbox, threads };
}

/** The same text for cells that one cluster can serve. */
export function shapeKey(settings: Settings): string {
  return keyOf(shapeOf(settings) as Settings);
}

/** The same text for cells that differ in batch and pipeline only: what those two are compared at. */
export function loadKey(settings: Settings): string {
  return keyOf({ ...settings, batch: 0, pipeline: 0 });
}

function impossible({ mailbox, clientThreads, mode, clients }: Settings): string | null {
  if (mailbox === "port" && clientThreads > 0) {
    return "clients in threads of their own need --mailbox ring: left out for port";
  }
  if (mode === "closed" && clients < clientThreads) {
    return "fewer clients than client threads: left out";
  }
  return null;
}

/** The values of an axis are of one setting, or several settings at once. */
function product<Row>(axes: Readonly<Record<string, readonly unknown[]>>): Row[] {
  let rows: object[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    rows = rows.flatMap(row =>
      values.map(value => (typeof value === "object" ? { ...row, ...value } : { ...row, [name]: value })),
    );
  }
  return rows as Row[];
}
