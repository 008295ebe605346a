import type { Inbox } from "../mailbox/index.js";
import type { TrafficCounters } from "../traffic.js";
import type { ActorMetrics, Counter } from "./actor-metrics.js";
import type { Histogram } from "./histogram.js";

/** A counter, where this life counts it, and what former lives have counted. */
interface Published {
  readonly counter: Counter;
  readonly before: number;
}

/** Measures an actor's loop, and publishes what its mailbox and its post have counted in this life. */
export class ActorMeter {
  readonly #metrics: ActorMetrics;
  readonly #inbox: Inbox;
  readonly #traffic: TrafficCounters;
  readonly #turnMs: Histogram;
  readonly #receivedFrames: Published;
  readonly #receivedBytes: Published;
  readonly #wakeUps: Published;
  readonly #sentFrames: Published;
  readonly #sentBytes: Published;
  readonly #droppedFrames: Published;

  constructor(metrics: ActorMetrics, inbox: Inbox, traffic: TrafficCounters) {
    this.#metrics = metrics;
    this.#inbox = inbox;
    this.#traffic = traffic;
    this.#turnMs = metrics.histogram("turnMs");
    const published = (counter: Counter): Published => ({ counter, before: counter.value });
    this.#receivedFrames = published(metrics.counter("receivedFrames"));
    this.#receivedBytes = published(metrics.counter("receivedBytes"));
    this.#wakeUps = published(metrics.counter("wakeUps"));
    this.#sentFrames = published(metrics.counter("sentFrames"));
    this.#sentBytes = published(metrics.counter("sentBytes"));
    this.#droppedFrames = published(metrics.counter("droppedFrames"));
  }

  /** The actor has been at work for so long, in milliseconds. */
  worked(ms: number): void {
    this.#turnMs.record(ms);
  }

  /** After everything that may have kept the actor from its mailbox for long: how much waits there? */
  lookAtDepth(): void {
    this.#metrics.sawDepth(this.#inbox.depthBytes());
  }

  /** Before each rest, and now and then under load: others read what is published. */
  publish(): void {
    const { frames, bytes, wakeUps } = this.#inbox.counters;
    const traffic = this.#traffic;
    publishOne(this.#receivedFrames, frames);
    publishOne(this.#receivedBytes, bytes);
    publishOne(this.#wakeUps, wakeUps);
    publishOne(this.#sentFrames, traffic.frames);
    publishOne(this.#sentBytes, traffic.bytes);
    publishOne(this.#droppedFrames, traffic.dropped);
  }
}

function publishOne({ counter, before }: Published, count: number): void {
  counter.raise(before + count);
}
