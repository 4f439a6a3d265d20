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
  lastIsStale,
  lastTime,
  openMin,
  openSamples,
  sealOpen,
} from './series';
export {
  applyStage,
  discardStage,
  encodeSamples,
  inputCodes,
  inputRefs,
  inputValues,
  recordAt,
  reserveInput,
  stagedCount,
  stageInput,
} from './stage';
export { clearFrames, frameRecord, framesAt, framesLength } from './wal-frame';

/** To be called once, first. */
export function init(): void {
  initCrc32c();
}
