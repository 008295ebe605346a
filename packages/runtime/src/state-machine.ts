/** Where a command stands in the log. Valid during the call only: the object is used again. */
export interface AppliedAt {
  readonly instance: number;
  /** The leader's clock when it proposed the command, in milliseconds: the same on every replica, never going back. */
  readonly timeMs: number;
}

/** When a query is asked. Valid during the call only: the object is used again. */
export interface QueriedAt {
  /** The last position of the log that is applied here; -1 when there is none. */
  readonly instance: number;
  /**
   * In milliseconds: the clock that all threads of the process share, and never less than the time of any command
   * applied here. So it goes on while nothing is proposed. A command that is applied later may carry an earlier time,
   * by as long as it was under way: only `apply` decides what has expired.
   */
  readonly timeMs: number;
}

/**
 * What is replicated. Every learner has one and applies the same commands in the same order, so `apply` must
 * depend on nothing but the state, the command and `at`: no clock, no chance, no I/O.
 */
export interface StateMachine<
  Command = unknown,
  Result = unknown,
  Query = unknown,
  Answer = unknown,
  Chunk = unknown,
> {
  /** Takes effect at once and returns the result. What it throws rejects this one propose; replicas go on. */
  apply(command: Command, at: AppliedAt): Result;
  /** Reads without changing anything. Depends on nothing but the state, the query and `at`. */
  query?(query: Query, at: QueriedAt): Answer;
  /** The whole state, in pieces of any size that survive the encoding. A piece must not change once it was yielded. */
  snapshot(): Iterable<Chunk>;
  /** Replaces the state by that of a snapshot. */
  restore(chunks: AsyncIterable<Chunk>): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: a machine of any types, which are then inferred from it
export type AnyStateMachine = StateMachine<any, any, any, any, any>;

/** A class that learners can load: `moduleUrl` is `import.meta.url` of the module whose default export it is. */
export interface StateMachineClass<M extends AnyStateMachine = AnyStateMachine> {
  // biome-ignore lint/suspicious/noExplicitAny: options are the machine's own affair
  new (options?: any): M;
  readonly moduleUrl: string;
}

/** Where learners load a state machine from: a class that knows its module, a URL, or a URL and an export's name. */
export type StateMachineSource<M extends AnyStateMachine> =
  | StateMachineClass<M>
  | URL
  | string
  | { readonly url: URL | string; readonly export: string };

export type CommandOf<M extends AnyStateMachine> = Parameters<M["apply"]>[0];
export type ResultOf<M extends AnyStateMachine> = ReturnType<M["apply"]>;
export type QueryOf<M extends AnyStateMachine> = M extends { query(query: infer Q, at: never): unknown }
  ? Q
  : never;
export type AnswerOf<M extends AnyStateMachine> = M extends { query(query: never, at: never): infer A }
  ? A
  : never;
