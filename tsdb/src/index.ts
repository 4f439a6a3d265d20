// The time-series database. See README.md for an example, docs/format/ for what is on disk.

export { ChunkListReader, packChunks } from '@flotilla/kernel';
export {
  type AppendCode,
  appendCode,
  type Appender,
  type BlockStatus,
  type Cardinality,
  type ChunkEncoding,
  type CorruptionStatus,
  type Exemplar,
  type ExemplarCode,
  type ExemplarSeries,
  type Log,
  type NamedCount,
  type OpenOptions,
  type Queryable,
  type RawChunk,
  type Schedule,
  type SelectOptions,
  type SeriesMetadata,
  type SeriesRef,
  type SeriesSet,
  type TsdbStatus,
} from './api.ts';
export { decodeChunk, decodeHistogramChunk } from './chunk/decode-chunk.ts';
export { type HistogramSample } from './histogram/histogram-decoder.ts';
export {
  floatHistogramOf,
  type HistogramLayout,
  type NativeHistogram,
  nativeOf,
  staleHistogram,
} from './histogram/native-histogram.ts';
export { diskIo, type Io } from './io.ts';
export { type AnySample, encodeFloats, encodeSamples } from './chunk/samples.ts';
export { mergeChunks } from './chunk/merge-chunks.ts';
export { type BlockAnalysis } from './block/analyze-block.ts';
export { type BlockProblem } from './block/verify-block.ts';
export { chunksRewritten, type RewriteReport } from './chunks-rewritten.ts';
export { importBlock, type ImportedSeries } from './import-block.ts';
export { decodeExemplars, encodeExemplars, type RefExemplar } from './wal/exemplar-records.ts';
export { decodeMetadata, encodeMetadata, type RefMetadata } from './wal/metadata-records.ts';
export { ReadOnlyTsdb } from './read-only-tsdb.ts';
export { type RefHistogram } from './wal/histogram-records.ts';
export { Tsdb } from './tsdb.ts';
export { isTurnOver, nextTurn } from './turns.ts';
export { TailBatch } from './wal/tail-batch.ts';
export { isBefore, type TailOptions, type WalPosition, type WalTail } from './wal/tail.ts';
