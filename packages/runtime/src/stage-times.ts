import type { AcceptedMessage, AcceptMessage, Message, ProposeMessage, ResponseMessage } from "@synod/core";
import type { Client } from "./client.js";
import { monotonicMs } from "./clock.js";
import { runtimeLimits } from "./limits.js";
import { stampsOf } from "./stage-points.js";

/**
 * One command of a batch on its way: its session, its sequence number, and when it has passed each of the
 * {@link stampsOf} so far, in milliseconds on the clock that all threads share. Carried behind the fields of a frame.
 */
export type StageStamps = readonly number[];

/** Told of each sampled command that is answered, with all its times in the order of {@link stampsOf}. */
export type OnStages = (timesMs: readonly number[]) => void;

/** Fields of the stamps before the times. */
const IDENTITY = 2;

/** A command that waits at its client to be sent: how many were queued before it, and when it was called. */
interface Mark {
  readonly position: number;
  readonly calledMs: number;
}

/**
 * Stamps batches that pass one actor or client, one command of each, where a cluster was asked for it. Core knows
 * nothing of it: what comes in is found again by what goes out, as it is with causal depths.
 *
 * What is lost on the way, sent again or forwarded is not sampled.
 */
export class StageTimes {
  readonly #acceptQuorum: number;
  readonly #every: number;
  /** At a client: batches that go untimed before the next one that is timed. */
  #untimed = 0;
  /** By session: stamps that have come and whose commands have not left. */
  readonly #bySession = new Map<number, StageStamps[]>();
  /** By first instance: what an acceptor was told to accept, or what a learner has votes for. */
  readonly #byInstance = new Map<number, { readonly stamps: StageStamps; votes: number }>();
  /** At a client: by sequence number, when its command was called. */
  readonly #called = new Map<number, number>();
  #mark: Mark | undefined;
  #taken = 0;
  #answered: StageStamps[] = [];
  /** A client's listener. */
  onStages: OnStages | undefined;

  /** So many votes make a learner know that a value is chosen; a client times one batch of so many. */
  constructor(acceptQuorum: number, every: number = runtimeLimits.stampedEvery) {
    this.#acceptQuorum = acceptQuorum;
    this.#every = every;
  }

  /** A client was given a command; so many wait before it. The first of its batch is timed, where that is. */
  called(queuedBefore: number): void {
    if (this.#untimed > 0) return;
    this.#mark ??= { position: this.#taken + queuedBefore, calledMs: monotonicMs() };
  }

  /** A client has given numbers to so many commands that waited, from `firstSequence` on. */
  numbered(firstSequence: number, count: number): void {
    const mark = this.#mark;
    const offset = mark === undefined ? -1 : mark.position - this.#taken;
    this.#taken += count;
    if (mark === undefined) this.#untimed = Math.max(0, this.#untimed - 1);
    if (mark === undefined || offset >= count) return;
    this.#mark = undefined;
    this.#untimed = this.#every - 1;
    // Negative when what waited before it was cancelled: nobody knows any more which one it was.
    if (offset >= 0) rememberIn(this.#called, firstSequence + offset, mark.calledMs);
  }

  /** A stamped frame has come. */
  received(message: Message, stamps: StageStamps, now: number): void {
    switch (message.type) {
      case "propose":
        this.#keep([...stamps, now]);
        break;
      case "accept":
        this.#asked(message, [...stamps, now]);
        break;
      case "accepted":
        this.#voted(message, stamps, now);
        break;
      case "response":
        this.#answered.push([...stamps, now]);
        break;
      default:
    }
  }

  /** What is to be carried by a message that leaves now. */
  sent(message: Message): StageStamps | undefined {
    switch (message.type) {
      case "propose":
        return this.#proposed(message);
      case "accept":
        return this.#accept(message);
      case "accepted":
        // The leader is told the fact alone: it answers nobody.
        if (message.batch === null && message.source === null) return undefined;
        return withTime(this.#byInstance.get(message.firstInstance)?.stamps);
      case "response":
        return this.#respond(message);
      default:
        return undefined;
    }
  }

  /** A client has settled what has come. */
  settled(): void {
    if (this.#answered.length === 0) return;
    const now = monotonicMs();
    for (const stamps of this.#answered) {
      if (stamps.length === IDENTITY + stampsOf.length - 1) this.onStages?.([...stamps.slice(IDENTITY), now]);
    }
    this.#answered = [];
  }

  #proposed({ segments }: ProposeMessage): StageStamps | undefined {
    if (this.#called.size === 0) return undefined;
    for (const segment of segments) {
      if (segment.kind !== "commands") continue;
      for (const [sequence, calledMs] of this.#called) {
        if (!isWithin(sequence, segment.firstSequence, segment.count)) continue;
        this.#called.delete(sequence);
        return [segment.session, sequence, calledMs, monotonicMs()];
      }
    }
    return undefined;
  }

  /** One of a batch is enough: what else was sampled in it goes no further. */
  #accept({ batch }: AcceptMessage): StageStamps | undefined {
    let first: StageStamps | undefined;
    for (const segment of batch.segments) {
      if (segment.kind !== "commands") continue;
      const found = this.#take(segment.session, segment.firstSequence, segment.count);
      first ??= found;
    }
    return withTime(first);
  }

  #respond({ session, firstSequence, results }: ResponseMessage): StageStamps | undefined {
    return withTime(this.#take(session, firstSequence, results.length));
  }

  /** With digests learners are told as well, before the votes or after. */
  #asked({ firstInstance }: AcceptMessage, stamps: StageStamps): void {
    if ((this.#byInstance.get(firstInstance)?.votes ?? 0) > 0) return;
    rememberIn(this.#byInstance, firstInstance, { stamps, votes: 0 });
  }

  /** The vote that completes the quorum is the one that was waited for. */
  #voted({ firstInstance }: AcceptedMessage, stamps: StageStamps, now: number): void {
    const votes = (this.#byInstance.get(firstInstance)?.votes ?? 0) + 1;
    rememberIn(this.#byInstance, firstInstance, { stamps, votes });
    if (votes === this.#acceptQuorum) this.#keep([...stamps, now]);
  }

  #keep(stamps: StageStamps): void {
    const session = stamps[0] as number;
    const waiting = this.#bySession.get(session);
    if (waiting === undefined) rememberIn(this.#bySession, session, [stamps]);
    else {
      waiting.push(stamps);
      // A learner that does not answer this client keeps what nobody asks for.
      if (waiting.length >= 2 * runtimeLimits.stampedBatches) waiting.splice(0, runtimeLimits.stampedBatches);
    }
  }

  /** The first that was kept of these commands; all of them are forgotten. */
  #take(session: number, firstSequence: number, count: number): StageStamps | undefined {
    const waiting = this.#bySession.get(session);
    if (waiting === undefined) return undefined;
    const at = waiting.findIndex(([, sequence]) => isWithin(sequence as number, firstSequence, count));
    if (at < 0) return undefined;
    const found = waiting[at];
    const rest = waiting.filter(([, sequence]) => (sequence as number) >= firstSequence + count);
    this.#bySession.set(session, rest);
    return found;
  }
}

function isWithin(sequence: number, firstSequence: number, count: number): boolean {
  return sequence >= firstSequence && sequence < firstSequence + count;
}

function withTime(stamps: StageStamps | undefined): StageStamps | undefined {
  return stamps && [...stamps, monotonicMs()];
}

/** What has waited for the longest time goes when there is too much: it was lost. */
function rememberIn<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.set(key, value);
  if (map.size <= runtimeLimits.stampedBatches) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}

const byClient = new WeakMap<object, StageTimes>();

/** A client's times are found by it, so that its class need not show them. */
export function keepStageTimes(client: object, times: StageTimes): void {
  byClient.set(client, times);
}

/**
 * Has a client of a cluster with {@link withStageTimes} tell of each sampled command, one for each batch, as it is
 * answered.
 */
export function watchStages(client: Pick<Client, "name">, onStages: OnStages): void {
  const times = byClient.get(client);
  if (times === undefined) throw new Error(`the cluster of ${client.name} was not asked for stage times`);
  times.onStages = onStages;
}
