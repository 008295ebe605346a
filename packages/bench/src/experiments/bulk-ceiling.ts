import type { CommandSegment } from "@synod/core";
import { captureAll, commandCodec, encodeBytes, StateMachineEngine } from "@synod/runtime/internal";
import { BulkLoad } from "../bulk-load.js";
import { ByteStore, recordBytes } from "../byte-store.js";
import { checkAudit } from "../cluster-subject.js";
import { loadCommand } from "../load.js";
import { VerifyingStore } from "../verifying-store.js";
import { type Running, recordWriter } from "./bulk.js";

interface Shape {
  readonly calls: number;
  readonly commands: number;
}

/** No consensus: arrays are captured, encoded, decoded and applied twice, in one thread. */
export function listCeiling(id: string, { calls, commands }: Shape): Running {
  const stores = [new VerifyingStore(), new VerifyingStore()] as const;
  return ceiling(id, calls, commands, stores, first => {
    const list = Array.from({ length: commands }, (_, index) => loadCommand(first + index));
    return commandCodec.encode(captureAll(list).values);
  });
}

/** The same for commands that are bytes. */
export function bytesCeiling(id: string, { calls, commands }: Shape): Running {
  const options = { cells: "array", results: "numbers" } as const;
  const records = recordWriter(commands);
  return ceiling(id, calls, commands, [new ByteStore(options), new ByteStore(options)], first =>
    encodeBytes(records(first), { recordBytes }, 0, commands),
  );
}

function ceiling(
  id: string,
  calls: number,
  commands: number,
  stores: readonly [VerifyingStore, VerifyingStore] | readonly [ByteStore, ByteStore],
  encode: (first: number) => Uint8Array,
): Running {
  const engines = stores.map(store => new StateMachineEngine(store));
  const propose = async (first: number) => {
    const segment = { kind: "commands", count: commands, skip: 0, bytes: encode(first) } as CommandSegment;
    const [results] = engines.map(engine => engine.apply(segment, 0, first, 0));
    return results;
  };
  const load = new BulkLoad(propose, calls, commands);
  return {
    id,
    load,
    verify: async () => {
      for (const store of stores) checkAudit(auditOf(store), load.acknowledged);
    },
    close: async () => undefined,
  };
}

function auditOf(store: VerifyingStore | ByteStore) {
  return store instanceof ByteStore
    ? store.query()
    : (store.query({ op: "audit" }) as ReturnType<ByteStore["query"]>);
}
