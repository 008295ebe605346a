import type { Client } from "@synod/runtime";
import { threadMs } from "@synod/runtime/internal";
import { answerWith, type SliceAnswer, type SliceTask } from "../embed/thread-load.js";
import { ClosedLoopLoad } from "../load.js";
import type { VerifyingStore } from "../verifying-store.js";
import { OpenLoopLoad } from "./open-loop.js";

/** One slice of load by one client of the cluster. */
export interface ClientTask extends SliceTask {
  /** Closed-loop clients of this thread; without effect in an open loop. */
  readonly clients: number;
  readonly payloadBytes: number;
  /** This thread's part of the rate; null for closed-loop clients. */
  readonly ratePerSecond: number | null;
}

export interface ClientAnswer extends SliceAnswer {
  /** Commands that were due and were never proposed. */
  readonly waiting: number;
  /** Cores that this thread kept busy meanwhile; null where the system does not tell. */
  readonly cores: number | null;
}

/** Each slice counts its commands from 1: what was acknowledged of it is what the state machine's sum must show. */
export async function answerClient(
  client: Pick<Client<VerifyingStore>, "propose">,
  task: ClientTask,
): Promise<ClientAnswer> {
  const { clients, payloadBytes, ratePerSecond } = task;
  const propose = client.propose.bind(client);
  const open = ratePerSecond === null ? null : new OpenLoopLoad(propose, payloadBytes, ratePerSecond);
  const load = open ?? new ClosedLoopLoad(propose, payloadBytes);
  const before = { atMs: performance.now(), threadMs: threadMs() };
  const answer = await answerWith(load, clients, task);
  const now = threadMs();
  const wallMs = performance.now() - before.atMs;
  const cores = now === null || before.threadMs === null ? null : (now - before.threadMs) / wallMs;
  return { ...answer, waiting: open?.waiting ?? 0, cores };
}
