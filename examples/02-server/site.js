import { listen } from "./front.js";

/** What the site does with its users; milliseconds. */
const defaults = { limit: { capacity: 1_000, refillPerSecond: 50 }, sessionTtlMs: 600_000 };

/** Starts the state, `synod` or `redis`, and the server in front of it. */
export async function startSite({ state = "synod", port = 0, threads = 3, ...settings } = {}) {
  const stateModule = new URL(`./state-${state}.js`, import.meta.url).href;
  const { start } = await import(stateModule);
  const backend = await start({ ...defaults, ...settings });
  try {
    const site = await listen({ port, threads, workerData: { stateModule, ...backend.workerData } });
    const close = async () => {
      await site.close();
      await backend.close();
    };
    return { ...site, cluster: backend.cluster, close };
  } catch (error) {
    await backend.close();
    throw error;
  }
}
