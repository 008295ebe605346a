import { explore } from "@synod/core/testing";
import { SingleBar } from "cli-progress";

/** @typedef {import("@synod/core/testing").Exploration} Exploration */

/** Seldom enough for a log that somebody reads. */
const lineMs = 5000;

/**
 * Explores one after the other and prints a table; returns the exit code.
 * @param {import("./options.mjs").Options} options
 */
export function exploreSpaces({ configurations, statesMax }) {
  console.log(row("configuration", "states", "transitions", "depth", "seconds", "states/s", "MB", "result"));
  let failures = 0;
  for (const configuration of configurations) {
    const { name } = configuration;
    const startedAt = performance.now();
    const progress = showProgress(name, startedAt);
    /** @type {Exploration} */
    let exploration;
    try {
      exploration = explore(configuration, { statesMax, onProgress: progress.update });
    } finally {
      progress.stop();
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const { states, transitions, depth, violation } = exploration;
    const rate = Math.round(states / seconds);
    const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
    const cells = [states, transitions, depth, seconds.toFixed(1), rate, megabytes];
    console.log(row(name, ...cells, resultOf(exploration)));
    if (violation !== undefined) showViolation(violation);
    // A space that was made unsafe must be found so, and no other may be.
    const isUnsafe = configuration.quorums.prepare + configuration.quorums.accept <= configuration.acceptors;
    if (isUnsafe !== (violation !== undefined)) failures += 1;
  }
  return failures === 0 ? 0 : 1;
}

/** @param {Exploration} exploration */
function resultOf({ exhausted, violation }) {
  if (violation !== undefined) return "UNSAFE";
  return exhausted ? "all states visited" : "stopped at --states-max";
}

/** @param {NonNullable<Exploration["violation"]>} violation */
function showViolation({ invariant, path }) {
  console.log(`\n${invariant}:`);
  path.forEach((line, index) => {
    console.log(`${String(index + 1).padStart(4)}  ${line}`);
  });
  console.log("");
}

/** @param {readonly (string | number)[]} cells */
function row(...cells) {
  const [name, ...rest] = cells.map(cell => (typeof cell === "number" ? cell.toLocaleString("en") : cell));
  const result = rest.pop();
  const widths = [11, 12, 6, 8, 9, 6];
  const numbers = rest.map((cell, index) => cell.padStart(widths[index] ?? 0));
  return `${(name ?? "").padEnd(26)} ${numbers.join(" ")}  ${result}`;
}

/**
 * States whose successors are known, out of those found so far: how many there are is not known before the end.
 * @param {string} name @param {number} startedAt
 */
function showProgress(name, startedAt) {
  const perSecond = (/** @type {number} */ states) =>
    Math.round((states * 1000) / (performance.now() - startedAt)).toLocaleString("en");
  if (!process.stderr.isTTY) {
    let shownAt = startedAt;
    /** @param {import("@synod/core/testing").ExplorationCounts} counts */
    const update = ({ states, expanded, depth }) => {
      if (performance.now() - shownAt < lineMs) return;
      shownAt = performance.now();
      console.error(
        `${name}: ${expanded} of ${states} states so far, depth ${depth}, ${perSecond(states)} states/s`,
      );
    };
    return { update, stop: () => {} };
  }
  const format = `${name} {bar} {value} of {total} states so far, depth {depth}, {rate} states/s`;
  // The search holds the event loop, so no timer of the bar's own would ever fire.
  const bar = new SingleBar({ format, clearOnComplete: true, stream: process.stderr, noTTYOutput: false });
  bar.start(1, 0, { depth: 0, rate: 0 });
  /** @param {import("@synod/core/testing").ExplorationCounts} counts */
  const update = ({ states, expanded, depth }) => {
    bar.setTotal(states);
    bar.update(expanded, { depth, rate: perSecond(states) });
    bar.render();
  };
  return { update, stop: () => bar.stop() };
}
