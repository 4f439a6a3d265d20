// Chunk → samples.

import { decodeXor } from '@flotilla/kernel';
import type { RawChunk } from '../api.ts';

/**
 * Decodes a chunk into the caller's arrays (ms; values with every NaN bit) and returns the number of samples, or −1 if it
 * is damaged or has more samples than the arrays have room. Safe on hostile bytes.
 */
export function decodeChunk(chunk: RawChunk, outTimes: Float64Array, outValues: Float64Array): number {
  return decodeXor(chunk.data, outTimes, outValues);
}
