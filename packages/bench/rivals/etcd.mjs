import { Etcd3 } from "etcd3";

/** @param {{ port: number }} options */
export async function connect({ port }) {
  const client = new Etcd3({ hosts: `http://127.0.0.1:${port}` });
  const revision = async () => Number((await client.get("key0").exec()).header.revision);
  const first = await revision();
  return {
    /** @param {{ key: string }} command @param {string} text */
    write: ({ key }, text) => client.put(key).value(text).exec(),
    /** Each write is a revision. */
    written: async () => (await revision()) - first,
    close: () => client.close(),
  };
}
