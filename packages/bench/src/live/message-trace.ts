import type { Inspection } from "@synod/runtime";
import { groupFrames, type MessageGroup, type RecordedFrame, roleOf } from "../message-groups.js";
import { labelOf } from "../sequence-chart.js";
import { type Cast, toneOf } from "./message-kinds.js";
import { columnsOf } from "./message-rates.js";
import type { MessageChart, MessageRow } from "./messages.js";

/** Milliseconds for which an election stays in the chart. */
const electionShownMs = 5000;

/** A whole instance, or the instances of one batch, as frames that were sent for it. */
interface TracedBatch {
  readonly accept: RecordedFrame;
  readonly frames: readonly RecordedFrame[];
}

/**
 * The latest batch that all learners have applied, message by message, and before it the latest election, if there was
 * one just now. Null when no whole batch is remembered.
 */
export function chartOfTrace(inspections: readonly Inspection[], cast: Cast): MessageChart | null {
  const frames = framesOf(inspections);
  const appliedBelow = Math.min(
    ...inspections.filter(({ role }) => role === "learner").map(learner => learner.appliedBelow ?? 0),
  );
  const batch = latestBatch(frames, appliedBelow);
  if (batch === null) return null;
  const { accept } = batch;
  const part = { firstInstance: accept.firstInstance ?? 0, count: accept.count };
  const rowOf = (group: MessageGroup): MessageRow => {
    const [first] = group.frames as [RecordedFrame];
    return {
      label: labelOf(group, part),
      tone: toneOf(group.type, first.from),
      from: distinct(group.frames.map(({ from }) => from)),
      to: distinct(group.frames.map(({ to }) => to)),
      figure: momentText(first.atMs - accept.atMs),
    };
  };
  const election = latestElection(frames, accept.atMs);
  const instances =
    part.count === 1
      ? `Instance ${part.firstInstance}`
      : `Instances ${part.firstInstance} to ${part.firstInstance + part.count - 1}, one batch`;
  return {
    columns: columnsOf(cast),
    rows: [...groupFrames(election), ...groupFrames(batch.frames)].map(rowOf),
    note: `${instances}, as sent. Times count from its first Accept. Request and Response are those next to it in time: a frame of a client does not say its instance.`,
  };
}

function framesOf(inspections: readonly Inspection[]): RecordedFrame[] {
  return inspections
    .flatMap(({ name, trace = [] }) => trace.map(frame => ({ ...frame, from: name })))
    .sort((a, b) => a.atMs - b.atMs);
}

function latestBatch(frames: readonly RecordedFrame[], appliedBelow: number): TracedBatch | null {
  const accept = frames.findLast(
    ({ type, firstInstance, count }) =>
      type === "accept" && firstInstance !== null && count > 0 && firstInstance + count <= appliedBelow,
  );
  if (accept === undefined) return null;
  const { ballot, firstInstance, count } = accept;
  const own = frames.filter(
    frame =>
      (frame.type === "accept" || frame.type === "accepted" || frame.type === "chosen") &&
      frame.ballot === ballot &&
      frame.firstInstance === firstInstance &&
      frame.count === count,
  );
  const [first = accept] = own;
  const accepted = own.find(({ type }) => type === "accepted");
  const request = frames.findLast(
    ({ type, from, atMs }) => type === "propose" && roleOf(from) === "client" && atMs <= first.atMs,
  );
  const response = frames.find(
    ({ type, atMs }) => type === "response" && accepted !== undefined && atMs >= accepted.atMs,
  );
  const around = [request, response].filter(frame => frame !== undefined);
  return { accept: first, frames: [...own, ...around].sort((a, b) => a.atMs - b.atMs) };
}

function latestElection(frames: readonly RecordedFrame[], beforeMs: number): RecordedFrame[] {
  const prepare = frames.findLast(({ type, atMs }) => type === "prepare" && atMs <= beforeMs);
  if (prepare === undefined || beforeMs - prepare.atMs > electionShownMs) return [];
  return frames.filter(
    ({ type, ballot, atMs }) =>
      (type === "prepare" || type === "promise") && ballot === prepare.ballot && atMs <= beforeMs,
  );
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

/** `+123 µs`, `-1.2 ms`. */
export function momentText(ms: number): string {
  if (ms === 0) return "0";
  const sign = ms < 0 ? "-" : "+";
  const size = Math.abs(ms);
  if (size < 1) return `${sign}${Math.round(size * 1000)} µs`;
  return size < 1000 ? `${sign}${size.toFixed(1)} ms` : `${sign}${(size / 1000).toFixed(1)} s`;
}
