import type { Client } from "@synod/runtime";
import { threadMs, watchStages } from "@synod/runtime/internal";
import { answerWith, type SliceAnswer, type SliceTask } from "../embed/thread-load.js";
import { ClosedLoopLoad } from "../load.js";
import { StageRecorder } from "../profile/stage-times.js";
import type { VerifyingStore } from "../verifying-store.js";
import { OpenLoopLoad } from "./open-loop.js";
import { type StageMedians, stageMediansOf } from "./stage-medians.js";

/** One slice of load by one client of the cluster. */
export interface ClientTask extends SliceTask {
  /** Closed-loop clients of this thread; without effect in an open loop. */
  readonly clients: number;
  readonly payloadBytes: number;
  /** This thread's part of the rate; null for closed-loop clients. */
  readonly ratePerSecond: number | null;
  /** Whether the cluster times the stages of batches, and they are wanted of this slice. */
  readonly hasStages: boolean;
}

export interface ClientAnswer extends SliceAnswer {
  /** Commands that were due and were never proposed. */
  readonly waiting: number;
  /** Cores that this thread kept busy meanwhile; null where the system does not tell. */
  readonly cores: number | null;
  /** Null when they were not wanted. */
  readonly stages: StageMedians | null;
}

/** Each slice counts its commands from 1: what was acknowledged of it is what the state machine's sum must show. */
export async function answerClient(
  client: Pick<Client<VerifyingStore>, "name" | "propose">,
  task: ClientTask,
): Promise<ClientAnswer> {
  const { clients, payloadBytes, ratePerSecond } = task;
  const propose = client.propose.bind(client);
  const open = ratePerSecond === null ? null : new OpenLoopLoad(propose, payloadBytes, ratePerSecond);
  const load = open ?? new ClosedLoopLoad(propose, payloadBytes);
  const recorder = task.hasStages ? new StageRecorder() : null;
  if (recorder !== null) watchStages(client, recorder.add);
  const before = { atMs: performance.now(), threadMs: threadMs() };
  const answer = await answerWith(load, clients, task);
  const now = threadMs();
  const wallMs = performance.now() - before.atMs;
  const cores = now === null || before.threadMs === null ? null : (now - before.threadMs) / wallMs;
  if (recorder !== null) watchStages(client, () => undefined);
  const stages = recorder === null ? null : stageMediansOf(recorder.read());
  return { ...answer, waiting: open?.waiting ?? 0, cores, stages };
}
