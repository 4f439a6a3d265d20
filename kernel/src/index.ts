// The hot leaf: one WASM module, and what JavaScript may see of it.

export { BlockSeriesEncoder } from './block-series.ts';
export type { ByteRing } from './byte-ring.ts';
export { crc32c } from './crc32c.ts';
export { ChunkGather, openExtent, type OpenExtent } from './chunk-gather.ts';
export {
  CHUNK_HEADER_BYTES,
  type ChunkHeader,
  ChunkListReader,
  type ListedChunk,
  packChunks,
  unpackChunks,
} from './chunk-list.ts';
export { ColumnArena } from './column-arena.ts';
export { ColumnDecoder } from './column-decoder.ts';
export { CHUNK_SAMPLES_MAX, decodeXor } from './decode-xor.ts';
export { encodeXor } from './encode-xor.ts';
export { HeadKernel, type Replayed, type SealedSink } from './head-kernel.ts';
export { type ChunkLayout, HistogramDecoder } from './histogram-decoder.ts';
export {
  type AppendFate,
  appendFate,
  type EncodedLayout,
  HistogramChunks,
  sharedHistogramChunks,
} from './histogram-chunks.ts';
export type { HistogramNumbers } from './histogram-row.ts';
export { Inflater, InflateError } from './inflater.ts';
export { kernelDigest } from './instance.ts';
export { JsonWriter } from './json-writer.ts';
export { PackedRows, rowColumn } from './packed-rows.ts';
export { compressSnappy, uncompressSnappy } from './snappy.ts';
export { type FoldWindows, type WindowFold, windowFolds } from './window-folds.ts';
export { type WindowEdges, windowRates } from './window-rates.ts';
export { DROPPED, LineCache, LineScanner, NO_ENTRY, type UnknownLine } from './line-cache.ts';
