import { type Client, Cluster, joinReplica } from "@synod/runtime";
import { KeyValueStore } from "@synod/runtime/kv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorOf } from "../support.js";

let cluster: Cluster<KeyValueStore>;
let client: Client<KeyValueStore>;

beforeAll(async () => {
  cluster = await Cluster.start({ stateMachine: KeyValueStore });
  client = await cluster.connect();
});
afterAll(() => cluster.close());

const get = (key: string) => (machine: KeyValueStore) => machine.query({ op: "get", key });

describe("a replica", () => {
  test("joins, and shows what its client has proposed once it has reached it", async () => {
    await client.propose({ op: "set", key: "a", value: 1 });
    const replica = await joinReplica(cluster.handle(), new KeyValueStore());
    expect(replica.read(get("a"))).toBe(1);
    await client.propose({ op: "set", key: "a", value: 2 });
    await replica.reached(client.seenInstance);
    expect(replica.read(get("a"))).toBe(2);
    await client.propose({ op: "set", key: "a", value: 3 });
    await replica.sync();
    expect(replica.read(get("a"))).toBe(3);
    await replica.close();
    await errorOf(replica.sync(), "CLUSTER_CLOSED");
  });
});
