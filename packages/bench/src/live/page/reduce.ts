import { liveLimits } from "../limits.js";
import type { LiveEvent, LiveSample, LiveState, LiveUpdate, MessageChart } from "../messages.js";

/** All that the page shows. */
export interface PageState {
  /** Null until the server has told. */
  readonly live: LiveState | null;
  readonly samples: readonly LiveSample[];
  readonly events: readonly LiveEvent[];
  readonly chart: MessageChart | null;
}

export const emptyPage: PageState = { live: null, samples: [], events: [], chart: null };

/** What the page shows after an update. A welcome replaces everything: the stream has begun anew. */
export function reduce(page: PageState, update: LiveUpdate): PageState {
  switch (update.type) {
    case "welcome": {
      const { state, samples, events, chart } = update;
      return { live: state, samples, events, chart };
    }
    case "state":
      return { ...page, live: update.state };
    case "sample":
      return { ...page, samples: latest([...page.samples, update.sample], liveLimits.samplesKept) };
    case "event":
      return { ...page, events: latest([...page.events, update.event], liveLimits.eventsKept) };
    case "chart":
      return { ...page, chart: update.chart };
  }
}

function latest<T>(items: readonly T[], count: number): readonly T[] {
  return items.length > count ? items.slice(-count) : items;
}

/** Three digits: `4.21 ms`, `0.04 ms`, `1,200 ms`; a dash when it is not known. */
export function millisecondsText(ms: number | null): string {
  if (ms === null) return "–";
  const digits = ms < 10 ? 2 : ms < 100 ? 1 : 0;
  return `${ms.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`;
}

export function wholeText(count: number | null): string {
  return count === null ? "–" : Math.round(count).toLocaleString("en-US");
}

/** `0`, `812 B`, `1.2 KiB`, `3.4 MiB`. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return "–";
  if (bytes === 0) return "0";
  if (bytes < 1024) return `${bytes} B`;
  const kibibytes = bytes / 1024;
  return kibibytes < 1024 ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}
