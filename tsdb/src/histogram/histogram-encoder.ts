// Native histogram samples → a chunk in the memory of a kernel.

import type { HistogramChunks } from '@flotilla/kernel';
import type { DecodedHistograms } from './histogram-decoder.ts';
import { EMPTY_LAYOUT, type NativeHistogram } from './native-histogram.ts';
import type { ResetFlag } from './reset-flag.ts';
import { type SharedLayout, sharedLayout } from './shared-layout.ts';

/** A chunk of `chunks`, which whoever has it frees. */
export interface EncodedChunk {
  readonly layout: SharedLayout;
  readonly address: number;
}

/** Begins a chunk; `layout`: that of the sample, if it is known. */
export function beginChunk(
  chunks: HistogramChunks,
  flag: ResetFlag,
  timeMs: number,
  first: NativeHistogram,
  layout = sharedLayout(first.isStale ? EMPTY_LAYOUT : first),
): EncodedChunk {
  return { layout, address: chunks.begin(layout, first.isFloat, flag, timeMs, first) };
}

/** A chunk of samples, of which there is at least one, and all have the layout of the first one or are stale markers at the end. */
export function encodeChunk(
  chunks: HistogramChunks,
  { flag, samples }: Pick<DecodedHistograms, 'flag' | 'samples'>,
): EncodedChunk {
  const [first, ...others] = samples;
  const chunk = beginChunk(chunks, flag, first!.timeMs, first!.histogram);
  for (const { timeMs, histogram } of others) chunks.push(chunk.address, timeMs, histogram);
  return chunk;
}
