import { type ClusterHandle, joinReplica } from "@synod/runtime";
import { workerData } from "piscina";
import { VerifyingStore } from "../verifying-store.js";
import { type TurnFigures, TurnProbe } from "./turn-probe.js";

/** What a thread in which replicas join is given. */
export interface JoinsSpec {
  readonly handle: ClusterHandle<VerifyingStore>;
}

export interface JoinTask {
  /** Whether turns of the event loop are watched meanwhile, which takes time of its own. */
  readonly isProbed: boolean;
  /** Nothing joins for so long, in milliseconds: what the machine does to turns by itself. */
  readonly nothingForMs?: number;
}

export interface JoinAnswer {
  readonly durationMs: number;
  /** Instances that the replica had applied, or restored, when it had joined. */
  readonly instances: number;
  /** Commands of them that it was given one by one. */
  readonly commandsOfLog: number;
  /** Whether it began with a snapshot. */
  readonly hasRestored: boolean;
  /** Keys of its state. */
  readonly keys: number;
  /** What turns of the event loop were like; null when none was watched. */
  readonly turns: TurnFigures | null;
  /** The most that the replica itself took of one turn, in milliseconds. */
  readonly longestSliceMs: number;
}

const { handle } = workerData as JoinsSpec;

async function join(probe: TurnProbe | undefined): Promise<JoinAnswer> {
  let made = 0;
  const make = () => {
    made++;
    return new VerifyingStore();
  };
  const startedAt = performance.now();
  const replica = await joinReplica(handle, make);
  const durationMs = performance.now() - startedAt;
  const { longestSliceMs } = replica;
  try {
    const turns = (await probe?.end()) ?? null;
    return {
      durationMs,
      instances: replica.appliedInstance + 1,
      commandsOfLog: replica.read(store => (store.query({ op: "audit" }) as { count: number }).count),
      // The first is there from the beginning; another one is made to restore a snapshot into it.
      hasRestored: made > 1,
      keys: replica.read(store => store.size()),
      turns,
      longestSliceMs,
    };
  } finally {
    await replica.close();
  }
}

async function joinNothing(probe: TurnProbe, durationMs: number): Promise<JoinAnswer> {
  await new Promise(resolve => setTimeout(resolve, durationMs));
  return {
    durationMs,
    instances: 0,
    commandsOfLog: 0,
    hasRestored: false,
    keys: 0,
    turns: await probe.end(),
    longestSliceMs: 0,
  };
}

export default function answer({ isProbed, nothingForMs }: JoinTask): Promise<JoinAnswer> {
  if (nothingForMs !== undefined) return joinNothing(new TurnProbe(), nothingForMs);
  return join(isProbed ? new TurnProbe() : undefined);
}
