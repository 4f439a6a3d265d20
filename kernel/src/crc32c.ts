// Hot: CRC-32C over byte arrays of JavaScript: once per WAL fragment read, chunk and index section.

import { sharedInstance } from './instance.ts';

const WINDOW_BYTES = 64 << 10;
/** So few are copied one by one sooner than by a view. */
const SHORT_BYTES = 128;
let windowAt = 0;

/** Continues `seed` (0 at the start; else the sum of the bytes before) over the bytes [start, end). */
export function crc32c(bytes: Uint8Array, seed = 0, start = 0, end = bytes.length): number {
  const kernel = sharedInstance();
  if (windowAt === 0) windowAt = kernel.exports.alloc(WINDOW_BYTES) >>> 0;
  const memory = kernel.bytes;
  if (end - start <= SHORT_BYTES) {
    for (let i = start; i < end; i++) memory[windowAt + i - start] = bytes[i]!;
    return kernel.exports.crc32c(seed, windowAt, end - start) >>> 0;
  }
  let crc = seed;
  for (let from = start; from < end; from += WINDOW_BYTES) {
    const part = bytes.subarray(from, Math.min(end, from + WINDOW_BYTES));
    memory.set(part, windowAt);
    crc = kernel.exports.crc32c(crc, windowAt, part.length) >>> 0;
  }
  return crc;
}
