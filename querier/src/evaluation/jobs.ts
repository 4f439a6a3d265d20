// What the event loop asks of a worker: one request, its parameters parsed but for queries and selectors, which may be long.

import type { SearchTerms } from './search-score.ts';

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

interface ListJob extends EncodedJob {
  readonly selectors: readonly string[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Items in the answer; 0 for all. */
  readonly limit: number;
}

export interface SeriesJob extends ListJob {
  readonly kind: 'series';
}

export interface LabelsJob extends ListJob {
  readonly kind: 'labels';
  /** The label whose values are asked for; undefined for the names of labels. */
  readonly name: string | undefined;
}

/** Names that fit what somebody types. */
export interface SearchJob extends AnyJob, SearchTerms {
  readonly kind: 'search';
  readonly selectors: readonly string[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** The label whose values are searched; undefined for the names of labels. */
  readonly label: string | undefined;
  /** What a result calls it. */
  readonly field: 'name' | 'value';
  readonly order: 'ascending' | 'descending' | 'score';
  readonly limit: number;
  readonly batchSize: number;
  readonly withScore: boolean;
  readonly withMetadata: boolean;
}

export type Job = QueryJob | ExemplarsJob | FederateJob | ReadJob | SeriesJob | LabelsJob | SearchJob;
