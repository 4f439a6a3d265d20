// The completeness record: which stores an answer should have heard, and which it did. Format: docs/format/completeness.md.

/**
 * - `all`: every replica that was needed answered (the healthy case needs one).
 * - `one`: a replica that was needed failed, another one answered: nothing is known to be lost.
 * - `none`: no replica answered: the answer has a hole.
 */
export type ShardState = 'all' | 'one' | 'none';

export interface ShardCompleteness {
  /** `"0"`, `"1"`, … or `"ruler"`. */
  readonly shard: string;
  readonly state: ShardState;
  readonly answered: readonly string[];
  readonly failed: readonly { readonly store: string; readonly error: string }[];
}

export interface Completeness {
  /** Shards that epochs and time range name. */
  readonly expected: number;
  /** Shards of which at least one replica answered. */
  readonly heard: number;
  readonly shards: readonly ShardCompleteness[];
  /** What limits cut, in words. */
  readonly cut: readonly string[];
}

/** Name of the HTTP response header that carries the record as JSON. */
export const COMPLETENESS_HEADER = 'x-flotilla-completeness';
