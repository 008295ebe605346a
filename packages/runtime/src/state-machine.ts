/** Where a command stands in the log. Valid during the call only: the object is used again. */
export interface AppliedAt {
  readonly instance: number;
  /** The leader's clock when it proposed the command, in milliseconds: the same on every replica, never going back. */
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
  /** Reads without changing anything. */
  query?(query: Query): Answer;
  /** The whole state, in pieces of any size that survive the encoding. A piece must not change once it was yielded. */
  snapshot(): Iterable<Chunk>;
  /** Replaces the state by that of a snapshot. */
  restore(chunks: AsyncIterable<Chunk>): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: a machine of any types, which are then inferred from it
export type AnyStateMachine = StateMachine<any, any, any, any, any>;

/** A class that learners can load: `moduleUrl` is `import.meta.url` of the module whose default export it is. */
// biome-ignore lint/suspicious/noExplicitAny: options are the machine's own affair
export interface StateMachineClass<M extends AnyStateMachine = AnyStateMachine, Options = any> {
  new (options?: Options): M;
  readonly moduleUrl: string;
}

/** Where learners load a state machine from: a class that knows its module, a URL, or a URL and an export's name. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type StateMachineSource<M extends AnyStateMachine, Options = any> =
  | StateMachineClass<M, Options>
  | URL
  | string
  | { readonly url: URL | string; readonly export: string };

/**
 * Nothing where `apply` and `query` finish before they return; otherwise a type that no source has, and whose text is
 * what the compiler then shows.
 */
export type Synchronous<M extends AnyStateMachine> =
  true extends MayBePromise<ResultOf<M>>
    ? "apply() must return its result, not a promise: replicas apply one command after the other"
    : true extends MayBePromise<AnswerOf<M>>
      ? "query() must return its answer, not a promise"
      : unknown;

/** False for `any` and `never`, of which nothing is known. */
type MayBePromise<T> = [T] extends [never]
  ? false
  : 0 extends 1 & T
    ? false
    : T extends PromiseLike<unknown>
      ? true
      : false;

export type CommandOf<M extends AnyStateMachine> = Parameters<M["apply"]>[0];
export type ResultOf<M extends AnyStateMachine> = ReturnType<M["apply"]>;
export type QueryOf<M extends AnyStateMachine> = M extends { query(query: infer Q): unknown } ? Q : never;
export type AnswerOf<M extends AnyStateMachine> = M extends { query(query: never): infer A } ? A : never;
