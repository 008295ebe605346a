import { once } from "node:events";
import type { Client } from "@synod/runtime";
import { expect, test } from "vitest";
import { expectExactlyOnce } from "../load.js";
import { type AnyMachine, expectAgreement, until, withCluster } from "../support.js";

/** Proposes arrays of various lengths, four at once, until it is stopped. */
function arrays(client: Client<AnyMachine>) {
  let isOn = true;
  let next = 0;
  let answered = 0;
  const settled: { first: number; ids: string[] }[] = [];
  const lane = async (number: number) => {
    for (let round = number; isOn; round++) {
      const first = next;
      next += 1 + ((round * 37) % 400);
      const ids = Array.from({ length: next - first }, (_, index) => `${client.name}:${first + index}`);
      const results = await client.proposeAll(
        ids.map(id => ({ id })),
        { timeoutMs: 50_000 },
      );
      expect(results).toEqual(ids.map(id => ({ id })));
      settled.push({ first, ids });
      answered += 1;
    }
  };
  const lanes = Promise.all([0, 1, 2, 3].map(lane));
  lanes.catch(() => undefined);
  return {
    get answered() {
      return answered;
    },
    async stop(): Promise<string[]> {
      isOn = false;
      await lanes;
      return settled.sort((one, other) => one.first - other.first).flatMap(({ ids }) => ids);
    },
  };
}

test("leaders are killed in the middle of arrays: every command once, in order, with its own result", async () => {
  await withCluster({ leaseMs: 200 }, async cluster => {
    const clients = await Promise.all([cluster.connect(), cluster.connect()]);
    const loads = clients.map(arrays);
    for (let round = 0; round < 3; round++) {
      const before = loads.map(({ answered }) => answered);
      await until(
        () => cluster.status().then(() => loads.map(({ answered }) => answered)),
        seen => seen.every((answered, index) => answered > (before[index] as number) + 5),
      );
      const { leader } = await until(
        () => cluster.status(),
        seen => seen.leader !== null,
      );
      const up = once(cluster, "actorUp");
      await cluster.faults.kill(leader as string);
      await up;
    }
    const settled = await Promise.all(loads.map(load => load.stop()));
    await expectExactlyOnce(clients[0] as Client<AnyMachine>, settled);
    await expectAgreement(cluster, settled.flat().length);
  });
});
