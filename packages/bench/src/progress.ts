import { SingleBar } from "cli-progress";
import type { OnStep } from "./measure.js";
import { type Conditions, watchConditions } from "./results/conditions.js";

export interface Watched<T> {
  readonly result: T;
  readonly conditions: Conditions;
}

/** The same, with how far it is. */
export function withProgress<T>(run: (onStep: OnStep) => Promise<T>): Promise<Watched<T>> {
  return watched(() => withBar(run));
}

/** What was measured, and under which conditions; what speaks against it is said on stderr. */
export async function watched<T>(run: () => Promise<T>): Promise<Watched<T>> {
  const readConditions = watchConditions();
  const result = await run();
  const conditions = readConditions();
  for (const warning of conditions.warnings) console.error(`warning: ${warning}`);
  return { result, conditions };
}

/** Shows a bar on a terminal, a line per step elsewhere; both on stderr. It is gone before anything is printed. */
async function withBar<T>(run: (onStep: OnStep) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return run((done, total, what) => console.error(`[${done}/${total}] ${what}`));
  const bar = new SingleBar({ format: "{bar} {value}/{total} {what}", clearOnComplete: true });
  bar.start(1, 0, { what: "starting" });
  // Ctrl-C exits at once: a terminal would stay without line wrap, as the bar has set it.
  const restore = () => bar.stop();
  process.once("exit", restore);
  try {
    return await run((done, total, what) => {
      bar.setTotal(total);
      bar.update(done, { what });
    });
  } finally {
    process.off("exit", restore);
    bar.stop();
  }
}
