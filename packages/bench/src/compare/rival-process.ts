/*
 * One subject of a comparison, in a process of its own: none shares its heap or its event loop with another. Whatever
 * the subject starts ends with this process, and this process ends with the one that forked it.
 */
import { rm } from "node:fs/promises";
import { openBroadcastChannel } from "./broadcast-channel.js";
import { cpuMsOf } from "./cpu.js";
import { openRaftGo } from "./raft-go.js";
import { openRaftNpm } from "./raft-npm.js";
import type { Family, MeasuredSlice, Rival, RivalAnswer, RivalSpec, RivalTask } from "./rival.js";
import { openServer } from "./servers.js";
import { openSynod } from "./synod.js";

const open: Readonly<Record<Family, (spec: RivalSpec, ending: AbortSignal) => Promise<Rival>>> = {
  synod: openSynod,
  "broadcast-channel": openBroadcastChannel,
  server: openServer,
  "raft-npm": openRaftNpm,
  "raft-go": openRaftGo,
};

const spec = JSON.parse(process.argv[2] ?? "{}") as RivalSpec;
const ending = new AbortController();
const opening = open[spec.family](spec, ending.signal);

/** Nobody hears it whose parent has ended: that must not keep this process from clearing up. */
const answer = (value: RivalAnswer): void => {
  if (process.connected) process.send?.(value, undefined, undefined, () => undefined);
};
process.stderr.on("error", () => undefined);
const fail = (error: unknown): void =>
  answer({ type: "failed", message: error instanceof Error ? error.message : String(error) });

async function slice(rival: Rival, clients: number, durationMs: number): Promise<MeasuredSlice> {
  const cpuBefore = cpuMsOf(rival.pids);
  const from = performance.now();
  const measured = await rival.slice(clients, durationMs);
  const wallMs = performance.now() - from;
  const cpuAfter = cpuMsOf(rival.pids);
  const cpuMs = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  return { ...measured, cpuMs, wallMs };
}

async function end(): Promise<never> {
  ending.abort();
  const rival = await opening.catch(() => undefined);
  await rival?.close().catch(() => undefined);
  await rm(spec.folder, { recursive: true, force: true, maxRetries: 3 });
  process.exit();
}

async function carryOut(task: RivalTask): Promise<void> {
  switch (task.ask) {
    case "slice":
      return answer({ type: "slice", ...(await slice(await opening, task.clients, task.durationMs)) });
    case "verify":
      await (await opening).verify();
      return answer({ type: "done" });
    case "close":
      return end();
  }
}

process.once("disconnect", end);
// Ctrl-C in a terminal, should it come here: the parent decides.
process.on("SIGINT", () => undefined);
process.once("SIGTERM", end);
process.on("message", (task: RivalTask) => carryOut(task).catch(fail));
opening.then(({ details, pids }) => answer({ type: "ready", details, pids }), fail);
