import { Random } from "@synod/core/testing";
import { describe, expect, it } from "vitest";
import * as storage from "../../dist/storage/index.js";
import { plantBug } from "../planted-bug.js";
import { expectCaught, isNoticed } from "../torn-memory.js";
import {
  keepsWhatWasPersisted,
  noticesDamage,
  type StorageModule,
  survivesDeathAtEveryStore,
} from "./checks.js";
import { RecordSource } from "./record-source.mjs";

const { createStorageRegion, SharedStorage } = storage;
/** A failure prints its seed; SYNOD_SEED replays it. */
const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 2 ** 31);

/** Runs a check with one seed after the other. */
function overSeeds(count: number, check: (seed: number) => void): void {
  for (let offset = 0; offset < count; offset++) check(seed + offset);
}

/** A bug may crash before a check can notice it, which proves nothing: the next seed is tried. */
function overPlantedSeeds(count: number, check: (seed: number) => void): void {
  overSeeds(count, each => {
    try {
      check(each);
    } catch (error) {
      if (isNoticed(error)) throw error;
    }
  });
}

describe("memory that outlives its thread", () => {
  it("gives back what was persisted, over many lives", () => {
    overSeeds(50, each => keepsWhatWasPersisted(storage, each));
  });

  it("is whole after a death at any store", () => {
    let deaths = 0;
    overSeeds(5, each => {
      deaths += survivesDeathAtEveryStore(storage, each);
    });
    expect(deaths).toBeGreaterThan(3000);
  });

  it("is refused when what is published is damaged, and never taken for empty", () => {
    overSeeds(5, each => noticesDamage(storage, each));
    const zeroed = createStorageRegion(65_536);
    new Uint8Array(zeroed).fill(0);
    expect(() => new SharedStorage(zeroed)).toThrow(
      expect.objectContaining({ code: "STORAGE_FAILED", message: expect.stringContaining("must not vote") }),
    );
  });

  it("grows with what is retained, not with what is persisted", () => {
    const region = createStorageRegion(2 ** 26);
    const living = new SharedStorage(region);
    const random = new Random(seed);
    const source = new RecordSource(end => random.below(end), undefined, 0);
    let retainedMax = 0;
    for (let call = 0; call < 20_000; call++) {
      living.persist(source.next());
      retainedMax = Math.max(retainedMax, living.usage.bytes);
    }
    expect(region.byteLength).toBeLessThanOrEqual(Math.max(65_536, 4 * retainedMax));
    expect(living.usage).toEqual(new SharedStorage(region).usage);
  });

  it.each([4095, 4100, 0, Number.NaN, 2 ** 32])("has no size of %d bytes", bytesMax => {
    expect(() => createStorageRegion(bytesMax)).toThrow(RangeError);
  });
});

describe("a planted bug is caught", () => {
  const bugs: [
    name: string,
    check: (module: StorageModule) => void,
    file: string,
    find: string,
    replace: string,
  ][] = [
    [
      "published before the bytes",
      module => overPlantedSeeds(20, each => survivesDeathAtEveryStore(module, each)),
      "storage-region.ts",
      "    this.write(header, slot);\n    Atomics.store(this.#word, PUBLISHED, SLOT_VALUES[slot]);",
      "    Atomics.store(this.#word, PUBLISHED, SLOT_VALUES[slot]);\n    this.write(header, slot);",
    ],
    [
      "one header slot",
      module => overPlantedSeeds(20, each => survivesDeathAtEveryStore(module, each)),
      "storage-region.ts",
      "const slot = this.#published() === 0 ? 1 : 0;",
      "const slot = 0 as 0 | 1;",
    ],
    [
      "freed memory is written to by the call that frees it",
      module => overPlantedSeeds(20, each => survivesDeathAtEveryStore(module, each)),
      "shared-storage.ts",
      "    if (bytes > 0) this.#place(bytes);\n    for (const record of records) this.#keep(record);\n    this.#dropTrimmed();",
      "    for (const record of records) if (record.kind === 'trim') this.#keep(record);\n    this.#dropTrimmed();\n" +
        "    if (bytes > 0) this.#place(bytes);\n    for (const record of records) this.#keep(record);\n    this.#dropTrimmed();",
    ],
    [
      "the checksum of a record is not looked at",
      module => overPlantedSeeds(5, each => noticesDamage(module, each)),
      "entry-record.ts",
      "f[CHECKSUM] !== crc32(bytes.subarray(CHECKED_FROM)) || ",
      "",
    ],
    [
      "the checksum of the header is not looked at",
      module => overPlantedSeeds(5, each => noticesDamage(module, each)),
      "storage-region.ts",
      "f[FIELDS] !== crc32(this.#fieldBytes)",
      "false",
    ],
    [
      "damaged is taken for empty",
      module => overPlantedSeeds(5, each => noticesDamage(module, each)),
      "shared-storage.ts",
      "if (record === undefined) throw",
      "if (record === undefined) return []; else if (0 as number) throw",
    ],
    [
      "a trim forgets the promise",
      module => overPlantedSeeds(100, each => keepsWhatWasPersisted(module, each)),
      "shared-storage.ts",
      "        header.trimmedBelow = Math.max(header.trimmedBelow, record.below);",
      "        header.trimmedBelow = Math.max(header.trimmedBelow, record.below);\n" +
        "        header.promised = { round: 0, incarnation: 0, proposer: -1 };",
    ],
    [
      "an accept does not raise the promise",
      module => overPlantedSeeds(100, each => keepsWhatWasPersisted(module, each)),
      "shared-storage.ts",
      "        this.#raise(record.entry.ballot);\n",
      "",
    ],
    [
      "a record is dropped that is trimmed only in part",
      module => overPlantedSeeds(100, each => keepsWhatWasPersisted(module, each)),
      "shared-storage.ts",
      "if (endInstance > header.trimmedBelow) return;",
      "if (endInstance > header.trimmedBelow + 2) return;",
    ],
    [
      "the log goes round into itself",
      module => overPlantedSeeds(100, each => keepsWhatWasPersisted(module, each)),
      "shared-storage.ts",
      "if (header.tail + bytes > header.head) this.#unroll(bytes);",
      "",
    ],
  ];

  it.each(bugs)("%s", async (_, check, file, find, replace) => {
    const bugged: StorageModule = await import(await plantBug("storage", { file, find, replace }));
    expectCaught(() => check(bugged));
  });
});
