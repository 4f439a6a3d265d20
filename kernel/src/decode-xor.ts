// Hot: decoding of XOR chunks, once per chunk that a query reads.

import { sharedInstance } from './instance.ts';

/** The most samples that a chunk's 16-bit count can name. */
export const CHUNK_SAMPLES_MAX = 0xffff;

// The decoder reads up to 9 bytes beyond a position that lies within the chunk.
const PADDING_BYTES = 32;

let chunkAt = 0;
let chunkCapacity = 0;
let timesAt = 0;
let valuesAt = 0;

function reserve(chunkBytes: number): void {
  const { exports } = sharedInstance();
  if (timesAt === 0) {
    timesAt = exports.alloc(CHUNK_SAMPLES_MAX * 8) >>> 0;
    valuesAt = exports.alloc(CHUNK_SAMPLES_MAX * 8) >>> 0;
  }
  if (chunkBytes <= chunkCapacity) return;
  exports.free(chunkAt, chunkCapacity);
  chunkCapacity = exports.capacityOf(chunkBytes) >>> 0;
  chunkAt = exports.alloc(chunkCapacity) >>> 0;
}

/**
 * Decodes an XOR payload into the caller's arrays (times in ms; values with every NaN bit) and returns the number of
 * samples, or −1 if it is damaged or has more samples than the arrays have room. Safe on hostile bytes.
 */
export function decodeXor(chunk: Uint8Array, outTimes: Float64Array, outValues: Float64Array): number {
  reserve(chunk.length + PADDING_BYTES);
  const kernel = sharedInstance();
  kernel.bytes.set(chunk, chunkAt);
  const max = Math.min(outTimes.length, outValues.length, CHUNK_SAMPLES_MAX);
  const count = kernel.exports.decodeXor(chunkAt, chunk.length, timesAt, valuesAt, max);
  if (count <= 0) return count;
  const { floats } = kernel;
  outTimes.set(floats.subarray(timesAt >>> 3, (timesAt >>> 3) + count));
  outValues.set(floats.subarray(valuesAt >>> 3, (valuesAt >>> 3) + count));
  return count;
}
