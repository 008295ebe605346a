import { liveLimits } from "./limits.js";
import type { LiveEvent, LiveSample, LiveState, LiveUpdate, MessageChart } from "./messages.js";
import type { Happening } from "./view.js";

type Listener = (update: LiveUpdate) => void;

/** What a page that is opened must know, and whoever is told of what comes: it outlives every cluster. */
export class LiveHistory {
  readonly #listeners = new Set<Listener>();
  readonly #samples: LiveSample[] = [];
  readonly #events: LiveEvent[] = [];
  #state: LiveState;
  #chart: MessageChart | null = null;
  #eventsBefore = 0;

  constructor(state: LiveState) {
    this.#state = state;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Tells everything that is kept, and then what comes. Returns how to end it. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    listener({
      type: "welcome",
      state: this.#state,
      samples: this.#samples,
      events: this.#events,
      chart: this.#chart,
    });
    return () => this.#listeners.delete(listener);
  }

  changed(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell({ type: "state", state: this.#state });
  }

  sampled(sample: LiveSample): void {
    this.#samples.push(sample);
    if (this.#samples.length > liveLimits.samplesKept) this.#samples.shift();
    this.#tell({ type: "sample", sample });
  }

  happened({ kind, text }: Happening): void {
    const event: LiveEvent = { id: ++this.#eventsBefore, atMs: Date.now(), kind, text };
    this.#events.push(event);
    if (this.#events.length > liveLimits.eventsKept) this.#events.shift();
    this.#tell({ type: "event", event });
  }

  drawn(chart: MessageChart): void {
    this.#chart = chart;
    this.#tell({ type: "chart", chart });
  }

  #tell(update: LiveUpdate): void {
    for (const listener of this.#listeners) listener(update);
  }
}
