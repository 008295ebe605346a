import type { SentFrame } from "@synod/runtime";

/** A recorded frame, with its sender. */
export interface RecordedFrame extends SentFrame {
  readonly from: string;
}

/** Frames of one kind and one causal depth from one role: a line of a chart. */
export interface MessageGroup {
  readonly type: SentFrame["type"];
  readonly ballot: string | null;
  readonly firstInstance: number | null;
  readonly depth: number;
  /** These went out before, and are a repetition: an answer was late, or got lost. */
  readonly again: boolean;
  /** In the order of sending. */
  readonly frames: readonly RecordedFrame[];
}

/** The messages of an instance; everything else only surrounds it. */
export const consensusTypes = [
  "prepare",
  "promise",
  "accept",
  "accepted",
  "chosen",
] as const satisfies SentFrame["type"][];

/** What a chart shows: anything that flows with time, or that is not known here, stays out of it. */
const shownTypes: ReadonlySet<string> = new Set<SentFrame["type"]>([
  ...consensusTypes,
  "propose",
  "notLeader",
  "refuse",
  "fetch",
  "trimmed",
  "response",
  "sequenceGap",
]);

/** `acceptor-2` is of the role `acceptor`. */
export function roleOf(address: string): string {
  return address.slice(0, address.lastIndexOf("-"));
}

/** Puts frames into lines, in the order in which the lines began. */
export function groupFrames(frames: readonly RecordedFrame[]): MessageGroup[] {
  const groups = new Map<string, MessageGroup & { readonly frames: RecordedFrame[] }>();
  const sent = new Set<string>();
  for (const frame of [...frames].sort((a, b) => a.atMs - b.atMs)) {
    const { type, from, to, ballot, firstInstance, depth } = frame;
    if (!shownTypes.has(type)) continue;
    // Acceptors may report different numbers of values to one Prepare; elsewhere another count is another message.
    const message = [type, ballot, firstInstance, type === "promise" ? "any" : frame.count];
    const whole = [...message, from, to].join();
    const again = ballot !== null && sent.has(whole);
    sent.add(whole);
    const key = [...message, roleOf(from), depth, again].join();
    const group = groups.get(key);
    if (group !== undefined) group.frames.push(frame);
    else groups.set(key, { type, ballot, firstInstance, depth, again, frames: [frame] });
  }
  return [...groups.values()];
}

/** How many frames a part of a run took. */
export interface MessageCounts {
  /** Prepare, Promise, Accept, Accepted and Chosen, repetitions apart. */
  readonly consensus: number;
  readonly again: number;
  readonly request: number;
  /** From proposer to proposer. */
  readonly forwarding: number;
  readonly response: number;
}

export function countFrames(frames: readonly RecordedFrame[]): MessageCounts {
  const groups = groupFrames(frames);
  const count = (wanted: (group: MessageGroup) => boolean) =>
    groups.filter(wanted).reduce((sum, group) => sum + group.frames.length, 0);
  const consensus: readonly string[] = consensusTypes;
  const forwarded = ({ frames: [first] }: MessageGroup) => first?.from.startsWith("proposer") ?? false;
  return {
    consensus: count(({ type, again }) => consensus.includes(type) && !again),
    again: count(({ again }) => again),
    request: count(group => group.type === "propose" && !forwarded(group)),
    forwarding: count(group => group.type === "propose" && forwarded(group)),
    response: count(({ type }) => type === "response"),
  };
}
