import { SingleBar } from "cli-progress";

/** Seldom enough for a log that somebody reads. */
const lineMs = 5000;

/**
 * A bar on a terminal, a line now and then elsewhere; both on stderr.
 * @param {import("./totals.mjs").Totals} totals @param {number} seeds
 */
export function showProgress(totals, seeds) {
  const rates = () => ({ rate: `${totals.stepsPerSecond} steps/s`, left: timeLeft(totals, seeds) });
  if (!process.stderr.isTTY) {
    const timer = setInterval(() => {
      const { rate, left } = rates();
      console.error(`${totals.seeds} of ${seeds} seeds, ${rate}, ${left}`);
    }, lineMs);
    return { update: () => {}, stop: () => clearInterval(timer) };
  }
  const bar = new SingleBar({
    format: "{bar} {value}/{total} seeds, {rate}, {left}",
    clearOnComplete: true,
    stream: process.stderr,
  });
  bar.start(seeds, 0, rates());
  return { update: () => bar.update(totals.seeds, rates()), stop: () => bar.stop() };
}

/** @param {import("./totals.mjs").Totals} totals @param {number} seeds */
function timeLeft(totals, seeds) {
  if (totals.seeds === 0) return "time left unknown";
  const seconds = Math.ceil((totals.seconds * (seeds - totals.seeds)) / totals.seeds);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const clock = [minutes, seconds % 60].map(part => String(part).padStart(2, "0")).join(":");
  return `${hours > 0 ? `${hours}:` : ""}${clock} left`;
}
