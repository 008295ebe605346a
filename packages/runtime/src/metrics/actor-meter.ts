import type { Inbox } from "../mailbox/index.js";
import type { TrafficCounters } from "../traffic.js";
import type { ActorMetrics } from "./actor-metrics.js";
import type { Histogram } from "./histogram.js";

/** Measures an actor's loop, and publishes what its mailbox and its post have counted in this life. */
export class ActorMeter {
  readonly #metrics: ActorMetrics;
  readonly #inbox: Inbox;
  readonly #traffic: TrafficCounters;
  readonly #turnMs: Histogram;
  /** What former lives have counted. */
  readonly #before: Published;
  /** Since when the actor has been at work, or has last looked at its mailbox, in milliseconds. */
  #sinceMs = 0;

  constructor(metrics: ActorMetrics, inbox: Inbox, traffic: TrafficCounters) {
    this.#metrics = metrics;
    this.#inbox = inbox;
    this.#traffic = traffic;
    this.#turnMs = metrics.histogram("turnMs");
    this.#before = {
      receivedFrames: metrics.counter("receivedFrames"),
      receivedBytes: metrics.counter("receivedBytes"),
      wakeUps: metrics.counter("wakeUps"),
      sentFrames: metrics.counter("sentFrames"),
      sentBytes: metrics.counter("sentBytes"),
      droppedFrames: metrics.counter("droppedFrames"),
    };
  }

  /** The actor begins to work, after a rest. */
  begins(now: number): void {
    this.#sinceMs = now;
  }

  /** The actor has worked until now. */
  worked(now: number): void {
    this.#turnMs.record(now - this.#sinceMs);
    this.#sinceMs = now;
  }

  /** After everything that may have kept the actor from its mailbox for long: how much waits there? */
  lookAtDepth(): void {
    this.#metrics.sawDepth(this.#inbox.depthBytes());
  }

  /** Before each rest, and now and then under load: others read what is published. */
  publish(): void {
    const { frames, bytes, wakeUps } = this.#inbox.counters;
    const metrics = this.#metrics;
    const before = this.#before;
    const traffic = this.#traffic;
    metrics.raise("receivedFrames", before.receivedFrames + frames);
    metrics.raise("receivedBytes", before.receivedBytes + bytes);
    metrics.raise("wakeUps", before.wakeUps + wakeUps);
    metrics.raise("sentFrames", before.sentFrames + traffic.frames);
    metrics.raise("sentBytes", before.sentBytes + traffic.bytes);
    metrics.raise("droppedFrames", before.droppedFrames + traffic.dropped);
  }
}

type Published = Readonly<
  Record<
    "receivedFrames" | "receivedBytes" | "wakeUps" | "sentFrames" | "sentBytes" | "droppedFrames",
    number
  >
>;
