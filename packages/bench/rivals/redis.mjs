// node-redis pipelines all commands of one turn of the event loop by itself.
import { createClient } from "@redis/client";

/** @param {{ port: number }} options */
export async function connect({ port }) {
  const client = createClient({ socket: { host: "127.0.0.1", port } });
  // Without a listener a lost connection would end the process before it has stopped the server.
  client.on("error", () => {});
  await client.connect();
  return {
    /** @param {{ key: string }} command @param {string} text */
    write: ({ key }, text) => client.set(key, text),
    /** Writes that the server has counted. */
    async written() {
      const found = /cmdstat_set:calls=(\d+)/.exec(await client.info("commandstats"));
      return found === null ? 0 : Number(found[1]);
    },
    close: () => client.destroy(),
  };
}
