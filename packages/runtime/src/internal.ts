/** What the benchmark and the tests use apart from a cluster. Not part of the public contract: it may change in any version. */
export { encodeBytes } from "./byte-codec.js";
export { captureAll, captureCommand } from "./capture.js";
export { monotonicMs } from "./clock.js";
export { supervisorOf } from "./cluster.js";
export { commandCodec } from "./command-codec.js";
export { StateMachineEngine } from "./engine.js";
export { decodeFrame, encodeFrame, messageTypes } from "./frame-codec.js";
export { withStageTimes } from "./options.js";
export { stampsOf } from "./stage-points.js";
export { watchStages } from "./stage-times.js";
export type { ProfiledThread } from "./supervisor.js";
export { threadMs } from "./thread-clock.js";
export { type ProfileRequest, type ThreadProfile, ThreadProfiler } from "./thread-profiler.js";
