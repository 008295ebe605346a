import { expect, it } from "vitest";
import { errorOf, start, until, withCluster } from "../support.js";

it.each(["shared", "heap"] as const)(
  "%s storage is shown with what it retains, and its bound",
  async storage => {
    await withCluster({ storage }, async cluster => {
      const client = await cluster.connect();
      await client.propose({ echo: "x".repeat(5000) });
      const acceptors = await until(
        async () => (await cluster.status()).actors.filter(({ role }) => role === "acceptor"),
        seen => seen.every(({ storage: usage }) => (usage?.bytes ?? 0) > 0),
      );
      expect(acceptors).toHaveLength(3);
      for (const acceptor of acceptors) expect(acceptor.storage?.bytesMax).toBe(256 * 1024 * 1024);
    });
  },
);

it.each(["shared", "heap"] as const)("%s storage has the bound that it was given", async storage => {
  // A multiple of eight is taken of it.
  await withCluster({ storage, storageBytesMax: 2 ** 26 + 7 }, async cluster => {
    const { actors } = await cluster.status();
    const bounds = actors.flatMap(({ storage: usage }) => (usage === undefined ? [] : [usage.bytesMax]));
    expect(bounds).toEqual([2 ** 26, 2 ** 26, 2 ** 26]);
  });
});

it("another storage is refused", async () => {
  // @ts-expect-error there is no such storage
  const error = await errorOf(start({ storage: "disk" }), "INVALID_OPTIONS");
  expect(error.path).toBe("storage");
});
