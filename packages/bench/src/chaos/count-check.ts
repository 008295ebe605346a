import type { Counts } from "./ledger.js";
import type { Totals } from "./machine.js";

/** What became of the commands that are only counted, over all clients. */
export interface CountResult {
  readonly called: number;
  readonly acknowledged: number;
  readonly notApplied: number;
  /** Without an answer: given up, or called by a thread that was killed. */
  readonly unknown: number;
  /** Acknowledged, and not in the counter. */
  readonly lost: number;
  /** In the counter, and more than can have taken effect once each. */
  readonly duplicated: number;
  readonly violations: readonly string[];
}

/**
 * Exactly once: each client's counter is what was acknowledged to it, and at most what is unknown besides.
 *
 * @param clients all that ever called, by number, which is the number of their counter
 */
export function checkCounts(totals: Totals, clients: ReadonlyMap<number, Counts>): CountResult {
  const result = { called: 0, acknowledged: 0, notApplied: 0, unknown: 0, lost: 0, duplicated: 0 };
  const violations: string[] = [];
  const counters = new Map(totals.counters);
  for (const [client, { called, acknowledged, notApplied, highest }] of clients) {
    const value = counters.get(client) ?? 0;
    counters.delete(client);
    result.called += called;
    result.acknowledged += acknowledged;
    result.notApplied += notApplied;
    result.unknown += called - acknowledged - notApplied;
    const least = Math.max(acknowledged, highest);
    const most = called - notApplied;
    result.lost += Math.max(0, least - value);
    result.duplicated += Math.max(0, value - most);
    if (value >= least && value <= most) continue;
    violations.push(
      `the counter of client ${client} is ${value}: ${called} increments were called, ${acknowledged} acknowledged (the highest answer was ${highest}), ${notApplied} not applied`,
    );
  }
  for (const [counter, value] of counters) {
    violations.push(`counter ${counter} is ${value}, and there is no such client`);
  }
  const sum = totals.counters.reduce((total, [, value]) => total + value, 0);
  if (sum !== totals.shardSum) {
    violations.push(`the counters add up to ${sum}, and the shards of the same state to ${totals.shardSum}`);
  }
  return { ...result, violations };
}
