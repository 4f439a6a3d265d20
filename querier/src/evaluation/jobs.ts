// What the event loop asks of a worker: one request, its parameters parsed but for queries and selectors, which may be long.

interface AnyJob {
  /** Whether an answer may lack shards. */
  readonly allowPartial: boolean;
}

interface EncodedJob extends AnyJob {
  readonly gzip: boolean;
}

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
}

export interface QueryJob extends EncodedJob, Span {
  readonly kind: 'query';
  readonly query: string;
  readonly isRange: boolean;
  readonly timeoutMs: number;
  readonly lookbackMs: number | undefined;
  /** Series in the answer; 0 for all. */
  readonly limit: number;
  readonly dedup: boolean;
  readonly stats: string;
  readonly withExactHistograms: boolean;
}

export interface ExemplarsJob extends EncodedJob {
  readonly kind: 'exemplars';
  readonly query: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface FederateJob extends AnyJob {
  readonly kind: 'federate';
  readonly selectors: readonly string[];
  readonly utf8: boolean;
}

export interface ReadJob extends AnyJob {
  readonly kind: 'read';
  /** A remote read request, compressed as it came. */
  readonly body: Uint8Array;
}

export type Job = QueryJob | ExemplarsJob | FederateJob | ReadJob;
