/** What the benchmark and the tests use apart from a cluster. Not part of the public contract: it may change in any version. */
export { encodeBytes } from "./byte-codec.js";
export { captureAll, captureCommand } from "./capture.js";
export { monotonicMs } from "./clock.js";
export { commandCodec } from "./command-codec.js";
export { StateMachineEngine } from "./engine.js";
export { decodeFrame, encodeFrame, messageTypes } from "./frame-codec.js";
export { threadMs } from "./thread-time.js";
