import { SingleBar } from "cli-progress";

/** Says on stderr how far a sweep is and how long it will take: a bar on a terminal, elsewhere a line per row. */
export class SweepProgress {
  readonly #bar: SingleBar | undefined;
  readonly #restore = () => this.#bar?.stop();
  readonly #startedAt = performance.now();
  readonly #doneBefore: number;

  constructor(done: number, total: number) {
    this.#doneBefore = done;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({ format: "{bar} {value}/{total} {left}  {what}", clearOnComplete: true });
    this.#bar.start(total, done, { left: "", what: "starting" });
    // Who exits at once would leave a terminal without line wrap.
    process.once("exit", this.#restore);
  }

  row(done: number, total: number, what: string): void {
    const passedMs = performance.now() - this.#startedAt;
    const left = leftText((passedMs / Math.max(1, done - this.#doneBefore)) * (total - done));
    if (this.#bar === undefined) console.error(`[${done}/${total}] ${what} (${left})`);
    else {
      this.#bar.setTotal(total);
      this.#bar.update(done, { left, what });
    }
  }

  stop(): void {
    process.off("exit", this.#restore);
    this.#restore();
  }
}

/** In the unit that people would use. */
export function leftText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
