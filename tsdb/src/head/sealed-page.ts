// A page of full chunks: in memory until a file has it.

import type { HeadChunkFile } from './head-chunk-files.ts';

export interface SealedPage {
  /** From 1; none is given twice. */
  readonly number: number;
  /** Until the page is in a file. */
  bytes: Uint8Array | undefined;
  used: number;
  /** From which the times of its chunks count. */
  readonly baseMs: number;
  maxTimeMs: number;
  file: HeadChunkFile | undefined;
  /** Where the page begins in its file. */
  fileOffset: number;
}
