/** The version of a key that is not there. */
export const absent = -1;

/** What can be done with a key. */
export type KeyValueCommand<Value = unknown> =
  | {
      readonly op: "set";
      readonly key: string;
      readonly value: Value;
      /** So long the key lives, in milliseconds of logical time. Left out, it lives until it is deleted. */
      readonly ttlMs?: number | undefined;
      /** Only if the key has this version; {@link absent}: only if it is not there. */
      readonly ifVersion?: number | undefined;
    }
  | { readonly op: "delete"; readonly key: string; readonly ifVersion?: number | undefined }
  /** Gives a key so long to live from now on, in milliseconds, or for ever. Value and version stay as they are. */
  | { readonly op: "expire"; readonly key: string; readonly ttlMs: number | null };

/** Part of the entries, in the order of their keys. */
export interface KeyValueRange {
  /** Keys that begin so. */
  readonly prefix?: string | undefined;
  /** Keys behind this one: the last of the former answer, to read on. */
  readonly after?: string | undefined;
  /** At most so many: 1 to 1,000, which is what is given when left out. */
  readonly limit?: number | undefined;
}

/** What can be asked. Of the last position that is applied, and without what has expired. */
export type KeyValueQuery =
  | { readonly op: "get" | "has" | "entry"; readonly key: string }
  | { readonly op: "size" }
  | ({ readonly op: "entries" } & KeyValueRange);

/** A key with all that is known of it. */
export interface KeyValueEntry<Value = unknown> {
  readonly key: string;
  readonly value: Value | undefined;
  /** Position of the last change of the value, {@link absent} when the key is not there. */
  readonly version: number;
  /** What it has left to live, in milliseconds; not there when it does not expire. */
  readonly expiresInMs?: number;
}

/** What a snapshot has of a key; its time in milliseconds, if it expires. */
export type KeyValueRow<Value = unknown> = readonly [
  key: string,
  value: Value,
  version: number,
  expiresAtMs?: number,
];

/** First where the log was, then rows. */
export type KeyValueChunk<Value = unknown> =
  | { readonly instance: number; readonly timeMs: number }
  | KeyValueRow<Value>[];
