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

/**
 * Commands as bytes, for `applyBatch`: some that one client proposed one after the other. {@link next} goes to the next
 * of them; `index`, `start`, `end` and `instance` are about that one. Valid during the call only.
 *
 * Where a batch begins and ends is chance and differs between replicas, so nothing may depend on it.
 */
export interface CommandBatch {
  /** Goes to the next command, at first to the first; false when there is none left. */
  next(): boolean;
  /** Memory that the commands lie in, with other things: what a machine wants to keep it must copy. */
  readonly bytes: Uint8Array;
  /** The same memory, to read numbers from: `batch.view.getUint32(batch.start, true)`. */
  readonly view: DataView;
  /** Where in `bytes` the command begins, */
  readonly start: number;
  /** and where it ends: `batch.bytes.subarray(batch.start, batch.end)`. */
  readonly end: number;
  /** Which of the batch's commands it is, from 0 on. */
  readonly index: number;
  /** How many commands the batch has. */
  readonly count: number;
  /** One number for each command, 0 until it is set: `batch.results[batch.index] = total`. Empty without results. */
  readonly results: Float64Array;
  /** Position of the command in the log. */
  readonly instance: number;
  /** The leader's clock when it proposed the commands, in milliseconds: the same on every replica, never going back. */
  readonly timeMs: number;
}

/**
 * What is replicated, for commands that are bytes: `client.proposeBytes` proposes them, and no object is made of them
 * on the way. A machine may have `apply` as well, for commands that are not. As there, nothing but the state, the
 * commands and their positions may matter.
 */
export interface BytesStateMachine<Query = unknown, Answer = unknown, Chunk = unknown> {
  /** What callers get: a number for each command (default), or `"none"`, which saves eight bytes for each. */
  readonly batchResults?: "numbers" | "none";
  /**
   * Takes the effects of the batch's commands in order: `while (batch.next()) ...`. What it throws rejects the command
   * that it is at; it is then called again with the same batch, which goes on behind that command. So it is when it
   * returns before it has seen the last one.
   */
  applyBatch(batch: CommandBatch): void;
  /** Reads without changing anything. */
  query?(query: Query, at: QueriedAt): Answer;
  /** The whole state, in pieces of any size that survive the encoding. A piece must not change once it was yielded. */
  snapshot(): Iterable<Chunk>;
  /** Replaces the state by that of a snapshot. */
  restore(chunks: AsyncIterable<Chunk>): Promise<void>;
}

/** A machine of any types, which are then inferred from it. */
// biome-ignore lint/suspicious/noExplicitAny: the types are found out, not given
export type AnyStateMachine = StateMachine<any, any, any, any, any> | BytesStateMachine<any, any, any>;

// biome-ignore lint/suspicious/noExplicitAny: any parameters, any result
type Apply = (...parameters: any[]) => any;

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
export type Synchronous<M extends AnyStateMachine> = true extends
  | MayBePromise<ResultOf<M>>
  | MayBePromise<BatchResultOf<M>>
  ? "apply() must return its result, not a promise: replicas apply one command after the other"
  : true extends MayBePromise<AnswerOf<M>>
    ? "query() must return its answer, not a promise"
    : unknown;

type BatchResultOf<M extends AnyStateMachine> = M extends { applyBatch: Apply }
  ? ReturnType<M["applyBatch"]>
  : never;

/** False for `any` and `never`, of which nothing is known. */
type MayBePromise<T> = [T] extends [never]
  ? false
  : 0 extends 1 & T
    ? false
    : T extends PromiseLike<unknown>
      ? true
      : false;

/** What a machine's `apply` takes; nothing, for one that has only `applyBatch`. */
export type CommandOf<M extends AnyStateMachine> = M extends { apply: Apply }
  ? Parameters<M["apply"]>[0]
  : never;
/** What a machine's `apply` returns; nothing, for one that has only `applyBatch`. */
export type ResultOf<M extends AnyStateMachine> = M extends { apply: Apply } ? ReturnType<M["apply"]> : never;
/** What `proposeBytes` takes: bytes, for a machine with `applyBatch`. */
export type BytesOf<M extends AnyStateMachine> = M extends { applyBatch: Apply } ? Uint8Array : never;
/** What `proposeBytes` gives: a number for each command, or nothing. */
export type BytesResultOf<M extends AnyStateMachine> = M extends { readonly batchResults: "none" }
  ? undefined
  : Float64Array;
/** What a machine's `query` takes; nothing, for one that has none. */
export type QueryOf<M extends AnyStateMachine> = M extends { query(query: infer Q, at: never): unknown }
  ? Q
  : never;
/** What a machine's `query` returns. */
export type AnswerOf<M extends AnyStateMachine> = M extends { query(query: never, at: never): infer A }
  ? A
  : never;
