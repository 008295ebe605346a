import { once } from "node:events";
import { liveLimits } from "./limits.js";
import type { ClusterShape } from "./running-cluster.js";
import { LiveServer } from "./server.js";
import { LiveSession } from "./session.js";

export interface LiveOptions extends ClusterShape {
  /** 0 for any that is free. */
  readonly port: number;
  readonly clients: number;
}

/** Runs a cluster with a load and its page until Ctrl-C. @throws SynodError; the system's error when it cannot listen */
export async function runLive({ port, clients, ...shape }: LiveOptions): Promise<void> {
  const { acceptors, learners, threads } = shape;
  const settings = { batch: null, pipeline: liveLimits.pipeline.default, trace: false };
  const session = await LiveSession.start({ acceptors, learners, threads }, clients, settings);
  try {
    const server = await LiveServer.listen(session, port);
    console.log(`${server.url}\nWhoever has this address can kill actors. Ctrl-C ends it.`);
    await interrupted();
    await server.close();
  } finally {
    await session.close();
  }
}

/** Other commands end at once; here there are threads and connections to be ended first. A second Ctrl-C does not wait. */
async function interrupted(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeAllListeners(signal);
  const ended = new AbortController();
  await Promise.race(["SIGINT", "SIGTERM"].map(signal => once(process, signal, { signal: ended.signal })));
  ended.abort();
}
