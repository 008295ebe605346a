/** What the benchmark measures apart from a cluster. Not part of the public contract: it may change in any version. */
export { captureCommand } from "./capture.js";
export { commandCodec } from "./command-codec.js";
