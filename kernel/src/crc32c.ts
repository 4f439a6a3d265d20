// Hot: CRC-32C over byte arrays of JavaScript: once per WAL fragment read, chunk and index section.

import { sharedInstance } from './instance.ts';

const WINDOW_BYTES = 64 << 10;
let windowAt = 0;

/** Continues `seed` (0 at the start; else the sum of the bytes before) over `bytes`. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const kernel = sharedInstance();
  if (windowAt === 0) windowAt = kernel.exports.alloc(WINDOW_BYTES) >>> 0;
  let crc = seed;
  for (let from = 0; from < bytes.length; from += WINDOW_BYTES) {
    const part = bytes.length <= WINDOW_BYTES ? bytes : bytes.subarray(from, from + WINDOW_BYTES);
    kernel.bytes.set(part, windowAt);
    crc = kernel.exports.crc32c(crc, windowAt, part.length) >>> 0;
  }
  return crc;
}
