import { createStorageRegion, HeapStorage, SharedStorage } from "../../dist/storage/index.js";
import { storageContract } from "./contract.js";

const shared = (firstRecord: number) => (bytesMax: number) => {
  const region = createStorageRegion(bytesMax, firstRecord);
  return () => new SharedStorage(region);
};

storageContract("shared", { create: shared(0), survives: true });
storageContract("shared that passes 2^32", {
  create: shared(2 ** 32 - 10),
  survives: true,
  firstInstance: 2 ** 32 - 10,
});
storageContract("heap", { create: bytesMax => () => new HeapStorage(bytesMax), survives: false });
