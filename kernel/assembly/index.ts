// One module for the whole hot leaf. Each instance is one head, or one scraper's line caches: nothing is shared.

import { initCrc32c } from './crc32c';

export { alloc, bump, capacityOf, free, usedBytes } from './memory';
export { crc32c } from './crc32c';
export { decodeXor } from './xor-decode';
export {
  createSeries,
  deleteSeries,
  dropOpenChunk,
  flushSealed,
  gatherOpen,
  isIdle,
  lastIsStale,
  lastTime,
  openMin,
  openSamples,
  sealOpen,
} from './series';
export {
  applyStage,
  discardStage,
  encodeStaged,
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
export { clearFrames, frameRecord, framesAt, framesLength } from './wal-frame';

/** To be called once, first. */
export function init(): void {
  initCrc32c();
}
