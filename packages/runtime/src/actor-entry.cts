import type * as ActorTask from "./actor-task.js" with { "resolution-mode": "import" };

/*
 * What a worker thread loads first. Piscina tries `require()` before `import()`, and Node aborts the whole process when
 * a thread is terminated while it requires an ES module (v8::Module::IsGraphAsync of a module that was never linked).
 * A thread may be killed at any instant, so it is given something that may be required.
 */
const runThread = async (spec: Parameters<(typeof ActorTask)["default"]>[0]) =>
  (await import("./actor-task.js")).default(spec);

export = runThread;
