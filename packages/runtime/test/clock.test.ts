import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { monotonicMs } from "@synod/runtime/internal";
import { expect, test } from "vitest";
import { fixture } from "./support.js";

test("a question, the time in another thread, and its answer are in order on the clock of all threads", async () => {
  for (let thread = 0; thread < 3; thread++) {
    const worker = new Worker(new URL(fixture("clock.mjs")));
    try {
      for (let round = 0; round < 20; round++) {
        const asked = monotonicMs();
        worker.postMessage("now?");
        const [there] = (await once(worker, "message")) as [number];
        const answered = monotonicMs();
        expect(there).toBeGreaterThan(asked);
        expect(there).toBeLessThan(answered);
      }
    } finally {
      await worker.terminate();
    }
  }
});
