// One module for the whole hot leaf. Each instance is one head, or one scraper's line caches: nothing is shared.

import { initCrc32c } from './crc32c';
import { initFloatParse } from './float-parse';
import { initFloatText } from './float-text';
import { initHistogramDecode } from './histogram-decode';
import { initInflate } from './inflate-tables';

export { equalColumns, hasNaN } from './columns';
export { alloc, bump, capacityOf, free, freeListBytes, growthLeft, limitMemory, usedBytes } from './memory';
export { crc32c } from './crc32c';
export { encodeEntry, joinChunks } from './block-series';
export { chunkListSamples, decodeChunkList, copyAll, listOpen, listOpenChunk, OPEN_LIST_BYTES, takeFrames, warmOpen } from './chunk-list';
export {
  appendHistogramSample,
  beginHistogramChunk,
  freeHistogramChunk,
  histogramChunkBytes,
  histogramChunkCopy,
  histogramRow,
  histogramScratch,
  isHistogramChunkFull,
  tryAppendHistogram,
} from './histogram-append';
export {
  clearHistogramRecord,
  frameHistogramRecord,
  recordHistogram,
  recordLayout,
} from './histogram-record';
export {
  beginHistograms,
  customBounds,
  decodeHistograms,
  layoutEnd,
  layoutNumbers,
  layoutSchema,
  layoutThreshold,
  negativeBuckets,
  negativeSpans,
  positiveBuckets,
  positiveSpans,
  staleHistograms,
} from './histogram-decode';
export { packRows } from './histogram-pack';
export { decodeXor } from './xor-decode';
export { freeSegmentBytes, usedSegmentBytes } from './xor-append';
export { ENCODE_SLACK, encodedBytes, encodeXor } from './xor-encode';
export {
  createSeries,
  deleteSeries,
  dropOpenChunk,
  flushSealed,
  gatherOpen,
  hasSegments,
  isIdle,
  lastIsStale,
  lastTime,
  noteSample,
  openMin,
  openSamples,
  sealOpen,
} from './series';
export { IMAGE_BYTES_MAX, loadSeries, savedTo, saveSeries } from './series-image';
export {
  applyStage,
  discardStage,
  frameStaged,
  inputCodes,
  inputRefs,
  inputValues,
  reserveInput,
  stagedCount,
  stageInput,
} from './stage';
export {
  decodedRefs,
  decodeSamples,
  encodeKept,
  keepDecoded,
  recordAt,
  replayDecoded,
  replayMax,
  replayMin,
  replayUnknown,
} from './samples-record';
export { SNAPPY_SLACK, snappyBound, snappyCompress, snappyLength, snappyUncompress } from './snappy';
export { clearFrames, frameRecord, framesAt, framesLength } from './wal-frame';

export { parseFloat64, floatEnd, powersOfFive } from './float-parse';
export { seedHash } from './hash64';
export {
  beginScan,
  BODY_PADDING,
  clearLineCache,
  commitScan,
  droppedCount,
  freeLineCache,
  learn,
  missingCount,
  missingRefs,
  newLineCache,
  sampleCount,
  sampleRefs,
  sampleValues,
  scanPart,
  takeAbsent,
  unknownCount,
  unknownLines,
} from './line-cache';

export {
  beginInflate,
  inflate,
  INFLATE_CORRUPT,
  INFLATE_DONE,
  INFLATE_SLACK,
  INFLATE_STARVED,
  INFLATE_STATE_BYTES,
  inflatedTo,
  inflateReadTo,
} from './inflate';

export { powersOfTen } from './float-text';
export { CODE_TABLE_BYTES } from './deflate';
export {
  beginRow,
  endJson,
  freeJsonWriter,
  jsonInputAt,
  jsonOutAt,
  jsonOutLength,
  jsonTextAt,
  jsonTextLength,
  newJsonWriter,
  POINTS_MAX,
  startJson,
  takeJson,
  TEXT_MAX,
  writePoints,
  writeText,
} from './json-writer';

export {
  addPiece,
  hasBuckets,
  keepPieces,
  PIECE_TEXT_MAX,
  switchToHistograms,
  writeBuckets,
  writeHistogram,
} from './json-histogram';

export { hasReset, WINDOW_BYTES, windowRates } from './window-rates';
export { windowExtremes } from './window-extremes';
export { windowChanges, windowResets } from './window-pairs';
export { windowAverages, windowSums } from './window-sums';
export { enterWindows, WINDOWS_GROUP, WINDOWS_HEAD } from './window-table';
export { windowVariances } from './window-variances';

/** To be called once, first. */
export function init(): void {
  initHistogramDecode();
  initCrc32c();
  initFloatParse();
  initFloatText();
  initInflate();
}
