import { Piscina } from "piscina";

/** A thread of an embedder, which is asked for one thing at a time. */
export interface EmbedderThread<Task, Answer> {
  /** Rejects with what the thread throws, and when it ends. */
  ask(task: Task): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts a module of this folder in a thread of its own; its default export answers, `spec` is its `workerData`. */
export function openThread<Task, Answer>(module: string, spec: object): EmbedderThread<Task, Answer> {
  const pool = new Piscina<Task, Answer>({
    filename: new URL(module, import.meta.url).href,
    workerData: spec,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    // Between two questions its event loop is free: what lives there follows the log.
    atomics: "disabled",
    recordTiming: false,
  });
  return { ask: task => pool.run(task), close: () => pool.destroy() };
}
