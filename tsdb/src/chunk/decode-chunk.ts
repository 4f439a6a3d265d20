// Chunk → samples.

import { decodeXor } from '@flotilla/kernel';
import type { RawChunk } from '../api.ts';
import { decodeHistograms, type HistogramSample } from '../histogram/histogram-decoder.ts';

/**
 * Decodes the float samples of a chunk (none, if it has histograms) into the caller's arrays (ms; values with every NaN bit) and returns the number of samples, or −1 if it
 * is damaged or has more samples than the arrays have room. Safe on hostile bytes.
 */
export function decodeChunk(chunk: RawChunk, outTimes: Float64Array, outValues: Float64Array): number {
  if (chunk.encoding !== 1) return 0;
  return decodeXor(chunk.data, outTimes, outValues);
}

/** The native histograms of a chunk; none, if it has floats. Throws CorruptionError if it is damaged. */
export function decodeHistogramChunk(chunk: RawChunk): readonly HistogramSample[] {
  return chunk.encoding === 1 ? [] : decodeHistograms(chunk.encoding, chunk.data).samples;
}
