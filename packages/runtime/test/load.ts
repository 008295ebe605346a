import type { Client } from "@synod/runtime";
import { expect } from "vitest";
import type { AnyMachine } from "./support.js";

export interface Load {
  /** Commands that were answered so far. */
  readonly settled: number;
  /** Resolves with the ids in the order of their answers. */
  stop(): Promise<string[]>;
}

/** Proposes without a pause until it is stopped, so many commands at once, with so much that nobody reads. */
export function load(client: Client<AnyMachine>, atOnce = 5, padBytes = 0): Load {
  let isOn = true;
  const settled: string[] = [];
  const rest = padBytes === 0 ? {} : { pad: new Uint8Array(padBytes) };
  const run = async () => {
    for (let next = 0; isOn; ) {
      const ids = Array.from({ length: atOnce }, () => `${client.name}:${next++}`);
      const results = await Promise.all(
        ids.map(id => client.propose({ id, ...rest }, { timeoutMs: 30_000 })),
      );
      settled.push(...results.map(({ id }) => id));
    }
    return settled;
  };
  const running = run();
  // Told by stop(), whenever the test gets there.
  running.catch(() => undefined);
  return {
    get settled() {
      return settled.length;
    },
    stop: () => {
      isOn = false;
      return running;
    },
  };
}

/** Everything that was answered is in the log, once, in each client's order; nothing else is. */
export async function expectExactlyOnce(client: Client<AnyMachine>, settled: string[][]): Promise<void> {
  const log = (await client.query("log", { consistency: "linearizable" })) as string[];
  expect(log).toHaveLength(settled.flat().length);
  for (const ids of settled) {
    const prefix = ids[0]?.split(":")[0];
    expect(log.filter(id => id.split(":")[0] === prefix)).toEqual(ids);
  }
}
