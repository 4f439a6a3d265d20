// What the rooms above see of the database: refs, transactions, sets of series, status. Types and constants only.
//
// Times are milliseconds since 1970; ranges include both ends. A value is its 64 bits: batches move as typed arrays, so
// that the payload of a NaN (a stale marker) survives.

import type { Labels, Matcher } from '@flotilla/model';
import type { NativeHistogram } from './histogram/native-histogram.ts';
import type { Io } from './io.ts';

/** A series of the head, 1..2^32−1. Stable while the series is in the head; afterwards appends answer `unknownRef`. */
export type SeriesRef = number;

/** The slots of a series: phaseMs + k·intervalMs. Known, so that replicas are merged by slot instead of by guess. */
export interface Schedule {
  /** u32, hash of the target (or rule group) that the series comes from; 0 = none. */
  readonly targetId: number;
  readonly intervalMs: number;
  readonly phaseMs: number;
}

/** A trace, say, that is an example of what a series counts. */
export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timeMs: number;
  /** Whether the time is the exemplar's own; else it is that of its scrape, and says nothing of its identity. */
  readonly hasTimestamp: boolean;
}

/** What became of an exemplar. Prometheus's rules: compared with the newest one of its series. */
export type ExemplarCode =
  | 'ok'
  | 'duplicate'
  | 'out of order'
  | 'labels too long'
  | 'disabled'
  | 'unknown series';

export interface ExemplarSeries {
  readonly labels: Labels;
  /** Ascending in time. */
  readonly exemplars: readonly Exemplar[];
}

/** What a target says of the metric that a series belongs to; type as in OpenMetrics, 'unknown' if nothing is said. */
export interface SeriesMetadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** What became of one sample. Stored in Uint8Arrays, hence numbers. */
export const appendCode = {
  ok: 0,
  /** Older than the newest sample of its series. */
  outOfOrder: 1,
  /** Same time as the newest sample of its series, another value. */
  duplicate: 2,
  /** Older than what the head still takes. */
  tooOld: 3,
  /** More than ten minutes ahead of the clock. */
  outOfBounds: 4,
  /** The series left the head, or never was in it: ask `series()` again. */
  unknownRef: 5,
} as const;
export type AppendCode = (typeof appendCode)[keyof typeof appendCode];

/** What the database logs through; a chassis logger fits. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface OpenOptions {
  /** Made when absent. One process at a time: a lock file guards it. */
  readonly dir: string;
  /** A block goes when all of it is older than this, counted from the newest sample. */
  readonly retentionMs: number;
  /** Blocks, WAL and head files together; beyond it the oldest blocks go. Default: no limit. */
  readonly retentionBytes?: number;
  /** Default 2 h. Chunks never cross a multiple of it. */
  readonly blockDurationMs?: number;
  readonly log: Log;
  readonly clock?: () => number;
  /** Default 1000: what a power loss may cost at most. */
  readonly fsyncIntervalMs?: number;
  /** Samples that are older than the newest of their series by up to this are taken. Default 0: none. */
  readonly outOfOrderWindowMs?: number;
  /** How many exemplars are kept, over all series; 0: none. Default 100,000. */
  readonly exemplarsMax?: number;
  /** Whether the metadata of series are kept and logged, for who reads the WAL. Default false. */
  readonly metadataRecords?: boolean;
  /**
   * What series and open chunks may take of the head's memory, symbols, label sets and sealed chunks not counted. Default and most:
   * 4 GiB. New series are refused before samples are: an eighth of it is left for those that are there.
   */
  readonly headBytesMax?: number;
  /** Default 128 MiB. */
  readonly walSegmentBytes?: number;
  /** Default snappy. Either is read. */
  readonly walCompression?: 'snappy' | 'none';
  /** Whether close() saves the head for the next open(), which need not replay the WAL then. Default true. */
  readonly headSnapshot?: boolean;
  /** The seam for disk faults. */
  readonly io?: Io;
}

/**
 * One transaction. Synchronous; nothing is visible or durable before `commit`. Several may be open at a time.
 * After `commit` or `rollback` it is empty and may be used again.
 */
export interface Appender {
  /**
   * Gets or creates a series. Its creation belongs to the transaction: a rollback takes it back.
   * A schedule that differs from the known one replaces it. Throws BadRequest for labels that are empty or no UTF-8,
   * and Unavailable when the head has no room for more series.
   */
  series(labels: Labels, schedule?: Schedule): SeriesRef;
  /** Series that this transaction has created so far. */
  readonly seriesCreated: number;
  /** Stages one sample. A NaN that arrives as a number may have lost its payload; use appendBatch or appendStale for those. */
  append(ref: SeriesRef, timeMs: number, value: number): AppendCode;
  /** Stages `count` samples of one time. Writes what became of each to `codes`, and returns how many were taken. */
  appendBatch(
    refs: Uint32Array,
    values: Float64Array,
    count: number,
    timeMs: number,
    codes?: Uint8Array,
  ): number;
  /** Stages a stale marker for each; those that are not newer than their series are left out. Returns how many were taken. */
  appendStale(refs: Uint32Array | readonly SeriesRef[], timeMs: number): number;
  /**
   * Stages a native histogram; a stale marker of a series of histograms is one, too. Throws BadRequest for one that
   * contradicts itself.
   */
  appendHistogram(ref: SeriesRef, timeMs: number, histogram: NativeHistogram): AppendCode;
  /** Stages an exemplar of a series. What is committed in between is compared once more. */
  appendExemplar(ref: SeriesRef, exemplar: Exemplar): ExemplarCode;
  /** Stages what is said of a series, if the database records it and it is news. */
  setMetadata(ref: SeriesRef, metadata: SeriesMetadata): void;
  /**
   * WAL first, then head. Throws Unavailable when the disk refuses or the head has no room; then nothing was applied. Commit and
   * rollback leave an appender for the next transaction.
   */
  commit(): void;
  rollback(): void;
}

/** 1: floats (XOR), 2: native histograms of whole counts, 3: those of float counts. Prometheus's numbers. */
export type ChunkEncoding = 1 | 2 | 3;

/** u16 sample count and bits, without encoding byte and checksum. `data` is a copy or a stable view. */
export interface RawChunk {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly samples: number;
  readonly encoding: ChunkEncoding;
  readonly data: Uint8Array;
}

/** A cursor over series in label order. The fields belong to the current series and are valid until `next()`. */
export interface SeriesSet {
  next(): boolean;
  readonly labels: Labels;
  /** The labels as model's encodeLabels gives them, if the set has them so. */
  readonly labelSet?: Uint8Array | undefined;
  readonly schedule: Schedule | undefined;
  /** Ascending in time, not overlapping; all that touch the range, whole, so their ends may lie outside of it. */
  readonly chunks: readonly RawChunk[];
  /** The same as a chunk list (docs/format/series-stream.md). A view: copy it before anything else is called. */
  readonly chunkList: Uint8Array;
  close(): void;
}

export interface SelectOptions {
  /** At most so many series; 0 or absent: all. */
  readonly limit?: number;
  /** Labels and schedules only. */
  readonly skipChunks?: boolean;
  /**
   * Only label sets and chunk lists will be read: chunks of many series are read ahead, in the order of their files. An open
   * chunk may come with no more samples than the range needs.
   */
  readonly packed?: boolean;
  /**
   * Of each series only the newest sample of the range will be looked at: with `packed` others may be left out, and are where
   * that costs less.
   */
  readonly latestOnly?: boolean;
}

/** What the readers of a database need: head, block and database answer to it. */
export interface Queryable {
  select(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    options?: SelectOptions,
  ): Promise<SeriesSet>;
  labelNames(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]>;
  labelValues(
    name: string,
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]>;
}

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

/** The four lists of /api/v1/status/tsdb, each descending by value. */
export interface Cardinality {
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}

export interface BlockStatus {
  readonly ulid: string;
  readonly minTimeMs: number;
  /** Exclusive, as in meta.json. */
  readonly maxTimeMs: number;
  readonly samples: number;
  readonly series: number;
  readonly chunks: number;
  readonly tombstones: number;
  /** 1: from the head. */
  readonly level: number;
  readonly sizeBytes: number;
}

/** A damaged file that was put aside. */
export interface CorruptionStatus {
  readonly path: string;
  readonly movedTo: string;
  readonly detail: string;
}

export interface TsdbStatus {
  readonly headSeries: number;
  readonly headChunks: number;
  /** Label pairs in the head. */
  readonly headLabelPairs: number;
  readonly samplesAppended: number;
  /** Of the whole database; minTimeMs > maxTimeMs when it is empty. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly headMinTimeMs: number;
  readonly headMaxTimeMs: number;
  readonly blocks: readonly BlockStatus[];
  readonly walSegment: number;
  readonly walBytes: number;
  readonly corruptions: readonly CorruptionStatus[];
  readonly cardinality: Cardinality;
}
